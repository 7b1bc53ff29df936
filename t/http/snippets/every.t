# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# conf/snippets, each in its own runtime: takes what the module signed, where
# it is to go and as it was; and nothing else.

use strict;
use warnings FATAL => 'all';
use Digest::SHA ();
use Test::More;
use UploadPool::Snippets;
use UploadPool::Test;

# Flask tells "" from "/".
my @every = qw(php wsgi flask/ django cgi registry perl node express shell lua);
# Where one library serves several ways of running it, every forgery is tried in
# one of them, and these few in the others.
my %shared = map { $_ => 1 } qw(flask/ django cgi registry express);
my @few = ('body tampered with', 'no signature', 'path');
my ($key, $older) = snippet_keys();
my $near = pool('snippets-taken');
my $far = '/dev/shm/upload-pool.' . port();
start_node(var('freeport'), $near);
start_node(var('cacheport'), make_far($far));
isnt +(stat $far)[0], (stat $near)[0], 'the far directory is on another device';

my $name = "Caf\xc3\xa9 \"1\".txt";
my $large = random_bytes(200000);
my @parts = (
    {name => 'title', value => "\xc3\xa4\xe2\x82\xac"},
    {name => 'raw', value => "\xff\xfe\0A"},
    {name => 'f[]', filename => $name, content => "hello\n", type => 'text/plain'},
    {name => 'f[]', filename => '../../up.bin', content => $large},
    {name => 'none', filename => '', content => ''},
);

sub send_to
{
    my ($where, $parts) = @_;
    my $id = new_id();
    return (upload("/$where", $parts, id => sign($key, $id)), $id);
}

# Files are where the application says, complete; nothing is left elsewhere.
sub takes
{
    my ($where, $below) = @_;
    my ($r, $id) = send_to($where, \@parts);
    is $r->{status}, 200, "$where: status" or diag $r->{body};
    my $said = $r->{json} || {};
    is $said->{identifier}, $id, "$where: identifier";
    is_deeply [map { [@{$_}{qw(name bytes)}] } @{ $said->{fields} }],
        [['title', 5], ['raw', $where =~ /django/ ? 8 : 4]], "$where: fields"
        or diag $r->{body};
    my @file = @{ $said->{files} || [] };
    is scalar @file, 2, "$where: two files" or diag $r->{body};
    is_deeply [map { $_->{field} } @file], ['f[]', 'f[]'], "$where: inputs";
    is_deeply [map { $_->{filename} } @file], ["Caf\xe9 \"1\".txt",
        '../../up.bin'], "$where: what the client called them";
    for my $n (0, 1) {
        my $stored = $file[$n]{stored} // '';
        like $stored, qr{^\Q$below\E/[^/]+(?:/[^/]+)?$}, "$where: stored below";
        is -f $stored ? Digest::SHA::sha1_hex(slurp($stored)) : undef,
            Digest::SHA::sha1_hex(("hello\n", $large)[$n]),
            "$where: content of file $n";
    }
    is_deeply [grep { /\.part$/ } glob "$below/* $below/*/*"], [],
        "$where: nothing half done";
    is_deeply [glob pool('snippets') . "/$id/*.bin"], [],
        "$where: nothing left in the pool";
    ok !exists $r->{headers}{'x-upload-claim'}, "$where: claim is not shown";
    is status("/$where", sign($key, $id))->{state}, 'done', "$where: claimed";
    return;
}

# A request as httpd makes it, with one thing changed.
sub forged
{
    my ($app, $seen, $change) = @_;
    my %it = (method => 'POST', body => $seen->{body},
              headers => {%{ $seen->{headers} }});
    $change->(\%it);
    return request($it{method}, "/snippets-open/$app", body => $it{body},
                   headers => [%{ $it{headers} }]);
}

sub refuses
{
    my ($app, $seen, $what, $status, $change) = @_;
    my @before = pool_files('snippets-taken');
    my $r = forged($app, $seen, $change);
    is $r->{status}, $status, "$app: $what" or diag $r->{body};
    is_deeply [pool_files('snippets-taken')], \@before,
        "$app: $what: nothing is stored";
    return;
}

sub signature { return 'sha256=' . Digest::SHA::hmac_sha256_hex(@_) }

my %forgery = (
    'body tampered with' => [403, sub {
        $_[0]{body} =~ s/"filename": *"\K[^"]/X/ or die }],
    'one blank more' => [403, sub { $_[0]{body} .= ' ' }],
    'wrong signature' => [403, sub {
        $_[0]{headers}{'X-Upload-Signature'} =~ s/(.)$/$1 eq '0' ? 1 : 0/e }],
    'half a signature' => [403, sub {
        $_[0]{headers}{'X-Upload-Signature'} =~ s/.{32}$// }],
    'another key' => [403, sub {
        $_[0]{headers}{'X-Upload-Signature'}
            = signature($_[0]{body}, 'another key of the same length....') }],
    'the comment as a key' => [403, sub {
        my ($comment) = slurp(var('t_conf') . '/site/snippets.keys')
            =~ /^(#.*)$/m;
        $_[0]{headers}{'X-Upload-Signature'}
            = signature($_[0]{body}, $comment) }],
    'an empty key' => [403, sub {
        $_[0]{headers}{'X-Upload-Signature'} = signature($_[0]{body}, '') }],
    'no signature' => [403, sub {
        delete $_[0]{headers}{'X-Upload-Signature'} }],
    'another identifier' => [403, sub {
        $_[0]{headers}{'X-Upload-Identifier'} = 'another' }],
    'no identifier' => [403, sub {
        delete $_[0]{headers}{'X-Upload-Identifier'} }],
    'state' => [403, sub {
        $_[0]{body} =~ s/"state": *"done"/"state":"half"/ or die;
        $_[0]{headers}{'X-Upload-Signature'} = signature($_[0]{body}, $key) }],
    'method' => [405, sub { $_[0]{method} = 'PUT' }],
    'size' => [410, sub {
        $_[0]{body} =~ s/"size": *\K6\b/7/ or die;
        $_[0]{headers}{'X-Upload-Signature'} = signature($_[0]{body}, $key) }],
    'path' => [410, sub {
        $_[0]{body} =~ s/\.bin"/.gone"/ or die;
        $_[0]{headers}{'X-Upload-Signature'} = signature($_[0]{body}, $key) }],
);

for my $app (@every) {
    takes("snippets/$app", $near);
    takes("snippets-far/$app", $far);
    takes("snippets-inline/$app", $near);

    my $seen = seen($key);
    refuses($app, $seen, $_, @{ $forgery{$_} })
        for $shared{$app} ? @few : sort keys %forgery;
    # Through the pool the headers of the client are gone.
    is request('POST', "/snippets/$app", body => $seen->{body},
               headers => [%{ $seen->{headers} }])->{status}, 403,
        "$app: forged headers in a pool";
    # A file that cannot be read is not called gone. The client learns that the
    # server is at fault, but no path.
    my ($bucket) = $seen->{body} =~ m{"path": *"([^"]+)/[^/"]+"};
    chmod 0, $bucket;
    my $shut = forged($app, $seen, sub {});
    chmod 0700, $bucket;
    is $shut->{status}, 500, "$app: a file that cannot be read"
        or diag $shut->{body};
    unlike $shut->{body}, qr{\Q$bucket\E}, "$app: says no path";
    # Nothing was wrong with it: the same request is taken, once.
    my $r = forged($app, $seen, sub {
        $_[0]{headers}{'X-Upload-Signature'} = signature($_[0]{body}, $older);
    });
    is $r->{status}, 200, "$app: the older key signs too" or diag $r->{body};
    is eval { slurp($r->{json}{files}[0]{stored}) }, 'signed',
        "$app: and the file is taken";
    is forged($app, $seen, sub {})->{status}, 410, "$app: it is gone by then";
}

done_testing;
