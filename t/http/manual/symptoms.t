# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The page "When it does not work": the test provokes every entry, and compares
# what is seen and logged with the page; then it applies the remedy as printed,
# and the same request works. An entry without a provocation fails, and so does
# a provocation without an entry.

use strict;
use warnings FATAL => 'all';
use utf8;
use File::Path ();
use IO::Compress::Gzip ();
use MIME::Base64 ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Manual;
use UploadPool::Test;

my $httpd = UploadPool::Httpd->new(children => 2);
my @port = (port => $httpd->port);
my @json = (headers => [Accept => 'application/json'], @port);
my ($user) = var('user');
my $key = 'the key of the symptoms, 36 bytes in all';
my $file = {name => 'file', filename => 'scan.pdf', content => 'x' x 2000};

# --- Applications ---------------------------------------------------------------

my %application = (
    # mod_cgid may lose the answer of a program that leaves its input unread.
    ignores => "cat >/dev/null\n"
        . "echo 'Content-Type: text/plain'\necho\necho thank you\n",
    fails => "cat >/dev/null\necho 'Status: 500'\n"
        . "echo 'Content-Type: text/plain'\necho\necho sorry\n",
    reads => "echo 'Content-Type: text/plain'\necho\ncat\n",
);
for my $name (sort keys %application) {
    spew($httpd->dir("$name.cgi"), "#!/bin/sh\n$application{$name}");
    chmod 0755, $httpd->dir("$name.cgi");
}

# --- Requests -------------------------------------------------------------------

sub send_file
{
    my ($url, $change) = @_;
    return upload($url, [{ %$file, ref $change ? %$change : () }], @json);
}
sub with_id { return upload($_[0], [$file], id => $_[1], @json) }

sub post
{
    my ($url, $type, $body, @more) = @_;
    return request('POST', $url, body => $body, @port, headers =>
        [Accept => 'application/json', 'Content-Type' => $type, @more]);
}

sub tus
{
    my ($method, $url, $version, %header) = @_;
    my $body = delete $header{body} // '';
    return request($method, $url, body => $body, @port, headers =>
        ['Tus-Resumable' => $version, %header]);
}

my ($form, $type) = multipart([$file]);

# Begins one, and goes on with what the sub does meanwhile.
sub while_busy
{
    my ($url, $id, $then) = @_;
    my $c = connect_raw(@port);
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($form) . "\r\n\r\n"
        . substr $form, 0, 500);
    wait_for(sub { status($url, $id, @port)->{state} eq 'uploading' });
    my $r = $then->();
    $c->close;
    return $r;
}

sub piece
{
    my ($url, $id, $from, $to) = @_;
    return request('POST', "$url?X-Progress-ID=$id", @port,
        body => 'x' x ($to - $from), headers => [
            'Content-Type' => 'application/octet-stream',
            'Content-Disposition' => 'attachment; filename="a.bin"',
            'Content-Range' => sprintf('bytes %d-%d/20', $from, $to - 1)]);
}

sub old_piece
{
    my ($url, $pool) = @_;
    my $id = new_id();
    piece($url, $id, 0, 10);
    my $then = time - 3600;
    utime $then, $then, grep { !m{/\.\.?$} } "$pool/$id", glob "$pool/$id/* $pool/$id/.*";
    return piece($url, $id, 10, 20);
}

# The suites run below /tmp, of which the module has something to say.
my $elsewhere = "/dev/shm/upool-symptoms-$$";
mkdir $elsewhere or die "$elsewhere: $!";
END { File::Path::remove_tree($elsewhere) if $elsewhere }

sub own_pool
{
    my $dir = "$elsewhere/$_[0]";
    mkdir $dir or die "$dir: $!";
    chown((getpwnam $user)[2, 3], $dir) if $> == 0;
    chmod 0700, $dir;
    return $dir;
}

sub kept { return scalar grep { /\.bin$/ } pool_files($_[0]) }

# --- What provokes it -------------------------------------------------------------
# send: the request; url, the pool's path, and whether the remedy is applied: the
# answer. lines: of the section; app: instead of the stand-alone server. good: the
# remedy's effect where it is not a status of 2xx.

my %request = (
    '413 although UploadMaxSize is larger' => {
        lines => "UploadMaxSize 1M\nLimitRequestBody 1000", send => \&send_file},
    '413 for the whole upload' => {
        lines => 'UploadMaxSize 1K', send => \&send_file},
    '413 for one file' => {
        lines => 'UploadMaxFileSize 1K', send => \&send_file},
    '413 for a form with many files' => {
        lines => 'UploadMaxParts 2',
        send => sub { upload($_[0], [($file) x 3], @json) }},
    '413 for a long text' => {
        lines => 'UploadMaxFieldSize 1K', send => sub {
            upload($_[0], [{name => 't', value => 'x' x 2000}], @json) }},
    '507 although the disk has room' => {
        lines => 'UploadQuota pool 64K',
        send => sub { send_file($_[0], {content => 'x' x 100_000}) }},
    '415 for some names' => {
        lines => 'UploadAllow jpg png', send => \&send_file},
    '415 for a file that is no picture' => {
        lines => 'UploadSniff On', send => sub {
            send_file($_[0], {filename => 'a.png', type => 'image/png',
                content => "<!DOCTYPE html>\n<html><body>x</body></html>\n"}) }},
    '415 for a compressed body' => {send => sub {
        IO::Compress::Gzip::gzip(\$form => \my $packed) or die 'gzip';
        post($_[0], $type, $packed, 'Content-Encoding' => 'gzip') }},
    '415 for a form without a file' => {
        lines => 'UploadRequire multipart', app => 'reads',
        send => sub { post($_[0], 'application/x-www-form-urlencoded', 'a=b') }},
    '503 while the scanner is away' => {
        lines => 'UploadScan clamd:unix:' . $httpd->dir('no-clamd'),
        send => \&send_file},
    '400 for a field that is missing' => {
        lines => 'UploadField photo required',
        send => sub { send_file($_[0], $_[2] ? {name => 'photo'} : {}) }},
    '400 from a script that sends a form' => {send => sub {
        post($_[0], $_[2] ? $type : 'multipart/form-data', $form) }},
    '400 for a form without its end' => {send => sub {
        post($_[0], $type, $_[2] ? $form : substr $form, 0, -20) }},
    'A form arrives empty' => {
        send => sub { post($_[0], $_[2] ? $type
            : 'multipart/form-data; boundary=other',
            $_[2] ? $form : "--another--\r\n$form" =~ s/another/other/r) },
        good => sub { ($_[0]{json}{filename} // '') eq 'scan.pdf' }},
    '403 without an identifier' => {
        lines => "UploadKey \"$key\"", send => sub {
            with_id($_[0], $_[2] ? request('POST', "$_[0]/new", body => '',
                @port)->{json}{identifier} : undef) }},
    '403 with an identifier' => {
        lines => "UploadKey \"$key\"", send => sub {
            with_id($_[0], sign($_[2] ? $key : "$key\n", new_id())) }},
    '403 after a change of networks' => {
        lines => 'UploadOwner ip', send => sub {
            my $id = new_id();
            upload($_[0], [$file], id => $id, @json, from => '127.0.0.2');
            with_id($_[0], $id) }},
    '409 for a second upload' => {send => sub {
        my ($url, $id, $well) = ($_[0], new_id(), $_[2]);
        while_busy($url, $id, sub {
            with_id($url, $well ? new_id() : $id) }) }},
    'Progress stays at "starting"' => {
        send => sub {
            my $id = new_id();
            with_id($_[0], $id);
            request('GET', "$_[0]/status?X-Progress-ID="
                . ($_[2] ? $id : 'another'), @port) },
        good => sub { $_[0]{json}{state} eq 'done' }},
    '415 for tus' => {send => sub {
        tus('POST', $_[0], '1.0.0', 'Upload-Length' => 5) }},
    '415 for a piece' => {send => sub {
        # As Dropzone sends the first of two.
        my %field = (dzuuid => new_id(), dzchunkindex => 0, dzchunksize => 2000,
                     dztotalfilesize => 4000, dztotalchunkcount => 2,
                     dzchunkbyteoffset => 0);
        upload($_[0], [(map { {name => $_, value => $field{$_}} }
                        sort keys %field), $file], @json) }},
    '412 for tus' => {lines => 'UploadProtocol tus', send => sub {
        tus('POST', $_[0], $_[2] ? '1.0.0' : '0.2.2', 'Upload-Length' => 5) }},
    '410 after a pause' => {
        lines => "UploadProtocol chunked\nUploadExpires 10min",
        send => sub { old_piece($_[0], $_[1]) }},
    '404 for an upload that went well so far' => {
        lines => 'UploadProtocol tus', send => sub {
            my $id = new_id();
            tus('POST', "$_[0]?X-Progress-ID=$id", '1.0.0',
                'Upload-Length' => 5) if $_[2];
            tus('PATCH', "$_[0]/$id", '1.0.0', 'Upload-Offset' => 0,
                'Content-Type' => 'application/offset+octet-stream',
                body => 'hello') }},
    '$_FILES is empty' => {
        app => 'ignores', send => sub { send_file($_[0]) }, quiet => 1},
    'The file is gone when the application failed' => {
        lines => 'UploadCleanup 5xx', app => 'fails', send => \&send_file,
        seen => sub { kept($_[1]) == 0 }, good => sub { kept($_[1]) == 1 }},
    'The file is gone when the application comes back to it' => {
        lines => 'UploadKeep claimed', app => 'reads', send => \&send_file,
        seen => sub { kept($_[1]) == 0 }, good => sub { kept($_[1]) == 1 }},
    '500 for every upload, and the server started well' => {
        lines => '', send => sub {
            rmdir $_[1] unless $_[2];
            send_file($_[0]) }},
);

# Configurations that "httpd -t" checks. text: with %s for the pool; before:
# makes the fault. The remedy is a command, or a directive in the place of
# REMEDY.
my $made_key = $httpd->dir('upload_pool.key');
my %check = (
    "\"Invalid command 'UploadPool'\"" => {
        text => "UploadPool %s\n", without => qr/upload_pool/, fails => 1,
        level => 'info'},
    'The pool does not exist' => {
        text => "UploadPool %s\n", before => sub { rmdir $_[0] }, fails => 1},
    'The pool cannot be reached' => {
        text => "UploadPool %s/shop\n", fails => 1, before => sub {
            mkdir "$_[0]/shop";
            chown((getpwnam $user)[2, 3], "$_[0]/shop");
            chown 0, 0, $_[0];
            chmod 0700, $_[0] }},
    'The pool belongs to somebody else' => {
        text => "UploadPool %s\n", fails => 1,
        before => sub { chown 0, 0, $_[0] }},
    'Everybody may write to the pool' => {
        text => "UploadPool %s\n", fails => 1,
        before => sub { chmod 0777, $_[0] }},
    'The pool can be downloaded' => {
        text => 'UploadPool ' . $httpd->dir('htdocs/pool') . "\n", fails => 1,
        before => sub { $httpd->make_pool('../htdocs/pool') }},
    'There is no key' => {
        text => "UploadPool %s\nUploadKeyFile $made_key\n", fails => 1,
        before => sub { unlink $made_key }},
    'A size in bytes is refused' => {
        text => "UploadPool %s\nUploadMaxSize 52428800\n", fails => 1},
    'An upload handler is not known' => {
        text => "UploadPool %s\nUploadHandler resize\n", fails => 1},
    'The limit is not the one that holds' => {
        text => "UploadPool %s\nUploadMaxSize 2G\n"},
    'The key can be read by everybody' => {
        text => "UploadPool %s\nUploadKeyFile $made_key\n",
        before => sub { spew($made_key, 'k' x 64 . "\n");
                        chmod 0644, $made_key }},
    'A key is short' => {
        text => "UploadPool %s\nUploadKeyFile $made_key\n",
        before => sub { unlink $made_key;
                        spew($made_key, 'k' x 16 . "\n");
                        chmod 0600, $made_key }},
    'Files vanish, or the tool finds none' => {
        temporary => 1, text => "UploadPool %s\n"},
);

# Those whose server has to start anew, with lines for all of it.
my %server = (
    '500 for everything below a .htaccess file' => {
        text => sub { "<Directory \"" . $httpd->dir('htdocs') . "\">\n"
            . "AllowOverride All\n</Directory>\n" },
        before => sub {
            mkdir $httpd->dir('htdocs/shop');
            mkdir "$_[0]/shop";
            chown((getpwnam $user)[2, 3], "$_[0]/shop");
            chmod 0700, "$_[0]/shop";
            spew($httpd->dir('htdocs/shop/.htaccess'),
                 "UploadPool shop\nSetHandler upload-pool\n") },
        send => sub { send_file('/shop/') }},
);

# --- The page ---------------------------------------------------------------------

my @entry = symptoms(var('top') . '/conf/manual/symptoms');
cmp_ok scalar @entry, '>=', 25, 'symptoms';
is_deeply [sort map { $_->{title} } @entry],
    [sort keys %request, keys %check, keys %server],
    'each has its provocation, and each provocation its entry';
for my $e (@entry) {
    ok !(grep { !defined || !length } @{$e}{qw(seen log remedy)}),
        "$e->{title}: what is seen, the line, the remedy";
}

sub section
{
    my ($url, $pool, @lines) = @_;
    return "<Location \"$url\">\nUploadPool $pool\n"
        . join('', map { "$_\n" } @lines) . "</Location>\n";
}

# The line of the page, among those of a log.
sub has_line
{
    my ($log, $line, $pool) = @_;
    $line =~ s{/var/lib/upload_pool\b}{$pool}g;
    $line =~ s{/etc/apache2/upload_pool\.key}{$made_key}g;
    utf8::encode(my $wanted = $line);
    my $pattern = join '.*', map { quotemeta } split /\s?\xe2\x80\xa6\s?/, $wanted, -1;
    return scalar grep { /$pattern/ } split /\n/, $log;
}

# Directives of a remedy, or nothing where it is a command, which is run.
sub apply
{
    my ($e, $pool) = @_;
    my $block = $e->{block} // return '';
    $block =~ s{/var/lib/upload_pool\b}{$pool}g;
    $block =~ s{/etc/apache2/upload_pool\.key}{$made_key}g;
    $block =~ s{www-data}{$user}g;
    return $block if $block !~ s/\A# //;
    return '' if $block =~ /\Aa2enmod/;
    is system('sh', '-c', $block), 0, "$e->{title}: the command";
    return '';
}

# A directive that was wrong is said otherwise.
sub without
{
    my ($lines, $more) = @_;
    my ($name) = $more =~ /^(\w+)/;
    return $name ? $lines =~ s/^$name .*\n?//mr : $lines;
}

sub of { return grep { exists $_[0]{ $_->{title} } } @entry }

# --- "httpd -t" -----------------------------------------------------------------

my $serial = 0;
for my $e (of(\%check)) {
    my $p = $check{ $e->{title} };
    my $pool = own_pool('check' . ++$serial);
    my $away = $pool;
    if ($p->{temporary}) {
        $away = "/tmp/upool-symptoms-$$";
        mkdir $away;
        chown((getpwnam $user)[2, 3], $away) if $> == 0;
        chmod 0700, $away;
    }
    $p->{before}->($pool) if $p->{before};
    my $modules = $httpd->{modules};
    $httpd->{modules} =~ s/^.*$p->{without}.*\n//mg if $p->{without};
    $httpd->{loglevel} = $p->{level};
    my $text = $p->{text} =~ s/%s/$away/gr;
    my ($exit, $said) = $httpd->check("<Location \"/u\">\n$text</Location>\n");
    is !!$exit, !!$p->{fails}, "$e->{title}: " . ($p->{fails} ? 'fails' : 'passes');
    ok has_line($said, $e->{log}, $away), "$e->{title}: the line" or diag $said;
    $httpd->{modules} = $modules;
    $httpd->{loglevel} = undef;
    my $more = apply($e, $pool);
    $text = without($text, $more);
    ($exit, $said) = $httpd->check("<Location \"/u\">\n$text$more</Location>\n");
    is $exit, 0, "$e->{title}: the remedy" or diag $said;
    ok !has_line($said, $e->{log}, $away), "$e->{title}: and nothing is said"
        or diag $said;
    rmdir $away if $p->{temporary};
}

# --- One server for all requests --------------------------------------------------

sub checked
{
    my ($e, $p, $r, $pool, $log) = @_;
    my ($status) = $e->{seen} =~ /^(\d{3}),/;
    is $r->{status}, $status, "$e->{title}: status" if $status;
    for my $text ($status ? $e->{seen} =~ /"([^"]+)"/g : ()) {
        like $r->{body}, qr/\Q$text\E/, "$e->{title}: $text";
    }
    ok wait_for(sub { $p->{seen}->($r, $pool) }), "$e->{title}: seen"
        if $p->{seen};
    ok wait_for(sub { has_line($log->(), $e->{log}, $pool) }),
        "$e->{title}: the line" or diag $log->();
    return;
}

sub mended
{
    my ($e, $p, $r, $pool) = @_;
    if ($p->{good}) {
        ok $p->{good}->($r, $pool), "$e->{title}: the remedy"
            or diag explain $r;
    }
    else {
        like $r->{status}, qr/^2/, "$e->{title}: the remedy"
            or diag explain $r;
    }
    return;
}

{
    my ($text, @row) = "UploadSweepInterval 1d\n";
    for my $e (of(\%request)) {
        my $p = $request{ $e->{title} };
        my $n = ++$serial;
        for my $well (0, 1) {
            my $url = ($well ? '/well' : '/ill') . $n;
            my $pool = $httpd->make_pool("request$n$well");
            # A command is for later, when something has happened.
            my $more = $well && ($e->{block} // '') !~ /\A#/ ? apply($e, $pool) : '';
            $text .= $p->{app} ? "ScriptAlias $url "
                . $httpd->dir("$p->{app}.cgi") . "\n" : '';
            $text .= section($url, $pool, $p->{app} ? () : 'SetHandler upload-pool',
                             without($p->{lines} // '', $more), $more);
            push @row, [$e, $p, $url, $pool, $well];
        }
    }
    $httpd->start($text);
    for (@row) {
        my ($e, $p, $url, $pool, $well) = @$_;
        my $from = length $httpd->error_log;
        my $log = sub { substr $httpd->error_log, $from };
        if ($well && ($e->{block} // '') =~ /\A#/) {
            rmdir $pool;
            apply($e, $pool);
        }
        my $r = $p->{send}->($url, $pool, $well);
        $well ? mended($e, $p, $r, $pool) : checked($e, $p, $r, $pool, $log);
    }
    $httpd->stop;
}

# --- Servers of their own -----------------------------------------------------------

for my $e (of(\%server)) {
    my $p = $server{ $e->{title} };
    my $pool = $httpd->make_pool('server' . ++$serial);
    $p->{before}->($pool) if $p->{before};
    my $from = length $httpd->error_log;
    my $log = sub { substr $httpd->error_log, $from };
    $httpd->start($p->{text}->($pool));
    checked($e, $p, $p->{send} ? $p->{send}->() : {}, $pool, $log);
    $httpd->stop;
    $from = length $httpd->error_log;
    $httpd->start(apply($e, $pool) . $p->{text}->($pool));
    mended($e, $p, $p->{send}->(), $pool) if $p->{send};
    ok !has_line($log->(), $e->{log}, $pool), "$e->{title}: and nothing is said";
    $httpd->stop;
}

done_testing;
