# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# tuspy, of Debian's python3-tuspy.

import hashlib
import io
import os
import sys

from tusclient import client
from tusclient.storage import filestorage

BASE = os.environ['UPOOL_BASE']
POOL = os.path.join(os.environ['UPOOL_DIR'], 'pools', 'tus')
BYTES = os.urandom(2500000)
count = failed = 0


def is_(got, want, name):
    global count, failed
    count += 1
    good = got == want
    print('%sok %d - %s' % ('' if good else 'not ', count, name))
    if not good:
        failed += 1
        print('# got  %r\n# want %r' % (got, want))


def stored(url):
    bucket = os.path.join(POOL, url.rsplit('/', 1)[1])
    names = [n for n in os.listdir(bucket) if n.startswith('0-')]
    with open(os.path.join(bucket, names[0]), 'rb') as data:
        return hashlib.sha256(data.read()).hexdigest()


WANT = hashlib.sha256(BYTES).hexdigest()
tus = client.TusClient(BASE + '/tus/echo.pl')
is_(tus.headers, {}, 'a client of its own')

one = tus.uploader(file_stream=io.BytesIO(BYTES), chunk_size=1000000,
                   metadata={'filename': 'Grüße.bin', 'note': 'x'})
one.upload()
is_(one.offset, len(BYTES), 'in chunks: the offset at the end')
is_(stored(one.url), WANT, 'in chunks: the bytes')

checked = tus.uploader(file_stream=io.BytesIO(BYTES), chunk_size=700000,
                       upload_checksum=True)
checked.upload()
is_(stored(checked.url), WANT, 'with Upload-Checksum')

storage = filestorage.FileStorage(
    os.path.join(os.environ['UPOOL_PROFILE'], 'tuspy.json'))
path = os.path.join(os.environ['UPOOL_PROFILE'], 'tuspy.bin')
with open(path, 'wb') as out:
    out.write(BYTES)
stopped = tus.uploader(path, chunk_size=500000, store_url=True,
                       url_storage=storage)
stopped.upload(stop_at=1500000)
is_(stopped.offset, 1500000, 'stopped half way')
resumed = tus.uploader(path, chunk_size=500000, store_url=True,
                       url_storage=storage)
is_(resumed.offset, 1500000, 'another finds where it was')
resumed.upload()
is_(resumed.url, stopped.url, 'at the same URL')
is_(stored(resumed.url), WANT, 'to its end')

print('1..%d' % count)
sys.exit(1 if failed else 0)
