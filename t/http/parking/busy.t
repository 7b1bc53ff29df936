# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# More clients than threads, each with forms in a row on one connection: uploads
# yield their worker to others again and again (httpd/drive.c, WORKER_TIME).
# An upload answered with 200 is complete. httpd closes a kept-alive connection
# whose next request finds no idle worker, with or without this module: such a
# form was never read, nothing of it is stored, and it is taken when it is sent
# again.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $CLIENTS = 12;    # and 8 threads
my $FORMS = 3;
my $MIB = rounds(4, 64);

my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('busy');
my $port = $httpd->port;
$httpd->start(<<"END");
KeepAliveTimeout 60
<Location /up>
    SetHandler upload-pool
    UploadPool "$pool"
</Location>
END

my $block = "\0" x (1 << 20);
my $begin = qq(--b\r\nContent-Disposition: form-data; name="f"; )
    . qq(filename="x"\r\n\r\n);
my $end = "\r\n--b--\r\n";
my $length = length($begin) + $MIB * length($block) + length $end;

# True when it was answered with 200; undef when the connection was closed.
sub send_form
{
    my ($c, $id) = @_;
    my $going = $c->send("POST /up?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Accept: application/json\r\n"
        . "Content-Type: multipart/form-data; boundary=b\r\n"
        . "Content-Length: $length\r\n\r\n$begin");
    $going = $c->send($block) for grep { $going } 1 .. $MIB;
    $c->send($end) if $going;
    my $answer = $c->answer;
    return $answer->{status} ? $answer->{status} == 200 : undef;
}

# A client's forms, all on one connection as long as it is there: how often each
# was sent, or what went wrong.
sub client
{
    my ($n) = @_;
    my $c = connect_raw(port => $port);
    my @sent;
    for my $form (1 .. $FORMS) {
        my $fresh = $form == 1;
        my $taken;
        until (defined $taken) {
            $sent[$form - 1]++;
            $taken = send_form($c, "busy-$n-$form");
            last if defined $taken;
            return "form $form: a new connection is closed" if $fresh;
            $c->close;
            $c = connect_raw(port => $port);
            $fresh = 1;
        }
        return "form $form: refused" unless $taken;
    }
    return "sent @sent";
}

my @said = map {
    my $n = $_;
    open(my $pipe, '-|') // die "fork: $!" or do {
        print client($n);
        # Nothing of the parent's is to be tidied up here.
        close STDOUT;
        kill 'KILL', $$;
    };
    $pipe;
} 1 .. $CLIENTS;
for my $n (1 .. $CLIENTS) {
    my $pipe = $said[$n - 1];
    my $what = do { local $/; <$pipe> };
    like $what, qr/^sent(?: \d+){$FORMS}$/, "client $n: each form is taken";
    is scalar(grep { -s $_ == $MIB * length $block }
              glob "$pool/busy-$n-*/0-*.bin"), $FORMS, "client $n: whole";
}
opendir my $dir, $pool or die "$pool: $!";
is scalar(grep { !/^\./ } readdir $dir), $CLIENTS * $FORMS,
    'what was never read has left nothing';
$httpd->stop;
unlike $httpd->error_log, qr/UPL01\d\d:/, 'nothing was refused';
unlike $httpd->error_log, qr/exit signal/, 'no child died';
done_testing;
