# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Peers;

# The peers that are no module of httpd: nginx, PHP, Flask and Django. Each
# starts as a hash of port and process numbers, or undef.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Httpd;
use Bench::Options;
use Bench::Process;
use Time::HiRes ();

our @EXPORT = qw(nginx_program nginx_progress start_nginx php_module
    start_modphp fpm_program start_fpm gunicorn has_python start_python
    nginx_upload in_path);

sub in_path
{
    my ($name) = @_;
    my ($found) = grep { -x } map { "$_/$name" } split(/:/, $ENV{PATH}),
        '/usr/sbin', '/usr/local/sbin';
    return $found;
}

# --- nginx ------------------------------------------------------------------

sub nginx_program { return in_path('nginx') }

sub nginx_progress
{
    my ($module) = grep { -e } map { "$_/ngx_http_uploadprogress_module.so" }
        '/usr/lib/nginx/modules', '/usr/lib64/nginx/modules';
    return $module;
}

# It is no package of Debian: UPOOL_BENCH_NGINX_UPLOAD names the file.
sub nginx_upload
{
    return $opt{nginx_upload} ne '' && -e $opt{nginx_upload};
}

# That module parses the form, stores its file and hands on where it lies.
sub nginx_parsing
{
    my ($name, $place) = @_;
    return '' if !nginx_upload();
    return <<"CONF";
        location = /parsed-$name {
            upload_pass /stored-$name;
            upload_store $place/nginx;
            upload_max_file_size 0;
            upload_set_form_field path "\$upload_tmp_path";
            upload_aggregate_form_field size "\$upload_file_size";
        }
        location = /stored-$name {
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://back;
        }
CONF
}

# A body goes to a file whole; then an upstream answers at once.
sub nginx_location
{
    my ($name, $place, @more) = @_;
    return <<"CONF";
        location = /$name {
            client_body_temp_path $place/nginx;
            client_body_in_file_only on;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-File \$request_body_file;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://back;
            @more
        }
CONF
}

sub start_nginx
{
    my ($name, $with_progress) = @_;
    my $dir = $opt{dir};
    my ($front, $back) = (next_port(), next_port());
    my $owner = $opt{root} ? "user $opt{user};" : '';
    my @track = $with_progress ? 'track_uploads bench 30s;' : ();
    my @modules = ($with_progress ? nginx_progress() : (),
        nginx_upload() ? $opt{nginx_upload} : ());
    my $load = join '', map { "load_module $_;\n" } @modules;
    my $zone = $with_progress ? 'upload_progress bench 8m;' : '';
    my $report = $with_progress
        ? "        location = /progress { report_uploads bench; }\n" : '';
    my $places = nginx_location('ram', $opt{fast}, @track)
        . nginx_location('disk', "$dir/data", @track)
        . nginx_parsing('ram', $opt{fast}) . nginx_parsing('disk', "$dir/data");
    my $temporary = join '', map { "    ${_}_temp_path $dir/data/$_;\n" }
        qw(proxy fastcgi scgi uwsgi);
    my $conf = spew("$dir/$name.conf", <<"CONF");
$load
$owner
worker_processes auto;
daemon off;
pid $dir/$name.pid;
error_log $dir/log/$name.log warn;
events { worker_connections 4096; }
http {
    access_log off;
    client_max_body_size 0;
    keepalive_requests 10000000;
$temporary
    $zone
    upstream back { server 127.0.0.1:$back; keepalive 64; }
    server {
        listen 127.0.0.1:$back backlog=1024;
        location / { return 200 "{\\"state\\": \\"done\\"}"; }
    }
    server {
        listen 127.0.0.1:$front backlog=1024;
$report$places
    }
}
CONF
    my $pid = start($name, nginx_program(), '-p', $dir, '-c', $conf);
    return { name => $name, port => $front, pids => [$pid] }
        if listening($front, $pid);
    note("*** $name does not start:", slurp("$dir/log/$name.out"));
    return undef;
}

# --- PHP --------------------------------------------------------------------

sub php_module { my ($php) = glob modules() . '/libphp*.so'; return $php }

sub fpm_program
{
    my ($fpm) = reverse glob '/usr/sbin/php-fpm*';
    return $fpm;
}

sub php_conf
{
    my ($place) = @_;
    return <<"CONF";
    php_admin_value upload_tmp_dir $place
    php_admin_value upload_max_filesize 8G
    php_admin_value post_max_size 8G
CONF
}

sub php_script
{
    for my $place (qw(ram disk)) {
        spew("$opt{dir}/htdocs/$place/up.php", <<'PHP');
<?php
$f = $_FILES['file'] ?? null;
$good = $f && !$f['error']
    && move_uploaded_file($f['tmp_name'], $f['tmp_name'] . '.kept');
http_response_code($good ? 200 : 400);
header('Content-Type: application/json');
echo json_encode($f ? ['size' => $f['size'], 'path' => $f['tmp_name']] : null);
PHP
    }
    return;
}

sub start_modphp
{
    my ($more) = @_;
    my $php = php_module();
    my $places = join '', map { "<Directory $opt{dir}/htdocs/$_->[0]>\n"
        . php_conf($_->[1]) . "</Directory>\n" }
        ['ram', "$opt{fast}/php"], ['disk', "$opt{dir}/data/php"];
    php_script();
    my $conf = <<"CONF";
LoadModule php_module $php
<FilesMatch "\\.php\$">
    SetHandler application/x-httpd-php
</FilesMatch>
$places
CONF
    my $mpm = load_module('mpm_prefork') . <<'CONF';
StartServers 16
MinSpareServers 16
MaxSpareServers 32
MaxRequestWorkers 64
CONF
    return httpd('modphp', $conf . ($more // ''), $mpm);
}

# One master with a pool of workers for each place.
sub start_fpm
{
    my ($more) = @_;
    my $dir = $opt{dir};
    my $owner = $opt{root} ? "user = $opt{user}\nlisten.owner = $opt{user}" : '';
    my $pools = join '', map { my ($name, $place) = @$_; <<"CONF" }
[$name]
$owner
listen = $dir/fpm-$name.sock
pm = static
pm.max_children = 16
php_admin_value[upload_tmp_dir] = $place
php_admin_value[upload_max_filesize] = 8G
php_admin_value[post_max_size] = 8G
CONF
        ['ram', "$opt{fast}/php"], ['disk', "$dir/data/php"];
    my $conf = spew("$dir/fpm.conf", <<"CONF");
[global]
error_log = $dir/log/fpm.log
daemonize = no
$pools
CONF
    my $pid = start('fpm', fpm_program(), '-F', '-n', '-y', $conf);
    for (1 .. 50) {
        last if -S "$dir/fpm-disk.sock" || !alive($pid);
        Time::HiRes::sleep(0.1);
    }
    php_script();
    my $server = httpd('phpfpm', load_module(qw(proxy proxy_fcgi))
        . ($more // '') . join '', map { <<"CONF" } qw(ram disk));
<Directory $dir/htdocs/$_>
    SetHandler "proxy:unix:$dir/fpm-$_.sock|fcgi://localhost"
</Directory>
CONF
    push @{ $server->{pids} }, $pid if $server;
    return $server;
}

# --- Flask, Django ----------------------------------------------------------
# Django gives its temporary file away; of Werkzeug's an application keeps a
# copy, which is what save() makes.

my %app = (flask => <<'PYTHON', django => <<'PYTHON');
import os
import tempfile
import uuid
from flask import Flask, jsonify, request

PLACES = {"ram": os.environ["BENCH_RAM"], "disk": os.environ["BENCH_DISK"]}
app = Flask(__name__)

@app.route("/<place>", methods=["POST"])
def up(place):
    tempfile.tempdir = PLACES[place]
    name = os.path.join(PLACES[place], uuid.uuid4().hex)
    request.files["file"].save(name)
    return jsonify(size=os.stat(name).st_size, path=name)
PYTHON
import os
import uuid
import django
from django.conf import settings

PLACES = {"ram": os.environ["BENCH_RAM"], "disk": os.environ["BENCH_DISK"]}
settings.configure(
    DEBUG=False, SECRET_KEY="bench", ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"], MIDDLEWARE=[], FILE_UPLOAD_HANDLERS=[
        "django.core.files.uploadhandler.TemporaryFileUploadHandler"])
django.setup()
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

def up(request, place):
    settings.FILE_UPLOAD_TEMP_DIR = PLACES[place]
    name = os.path.join(PLACES[place], uuid.uuid4().hex)
    file = request.FILES["file"]
    os.link(file.temporary_file_path(), name)
    return JsonResponse({"size": file.size, "path": name})

urlpatterns = [path("<str:place>", up)]
app = get_wsgi_application()
PYTHON

sub gunicorn { return in_path('gunicorn') || in_path('gunicorn3') }

# Whether the Python that gunicorn runs on has a package.
sub has_python
{
    my ($package) = @_;
    my $gunicorn = gunicorn() or return 0;
    my ($python) = slurp($gunicorn) =~ /^#!(.*)/;
    return $python
        && system("$python -c 'import $package' >/dev/null 2>&1") == 0;
}

sub start_python
{
    my ($name, $workers, $threads) = @_;
    my $number = next_port();
    spew("$opt{dir}/app_$name.py", $app{$name});
    local $ENV{BENCH_RAM} = "$opt{fast}/py";
    local $ENV{BENCH_DISK} = "$opt{dir}/data/py";
    local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
    my $pid = start("$name-$threads", gunicorn(), '--chdir', $opt{dir},
        '-w', $workers, '-k', 'gthread', '--threads', $threads,
        '--worker-connections', 4096, '--timeout', 0, '--keep-alive', 60,
        '--backlog', 1024, '-b', "127.0.0.1:$number",
        $opt{root} ? ('-u', $opt{user}) : (), "app_$name:app");
    return { name => $name, port => $number, pids => [$pid] }
        if listening($number, $pid);
    note("*** $name does not start:", slurp("$opt{dir}/log/$name-$threads.out"));
    return undef;
}

1;
