# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The table of directives, the shipped configuration and the reference of the
# manual tell the same story; every member of the configuration is created and
# merged.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my $code = slurp('src/config/directives.c');
my $conf = slurp('conf/upload_pool.conf');
my $reference = slurp('conf/manual/directives');

my (%contexts, %help, %takes);
while ($code =~ /AP_INIT_(\w+)\(\s*"(\w+)"\s*,(.*?)\)\s*,\s*(?=AP_INIT|\{\s*NULL)/gs) {
    my ($name, $rest) = ($2, $3);
    $takes{$name} = $1;
    ($contexts{$name}) = $rest =~ /,\s*(SDH|SD|S|\w+)\s*,\s*"/s;
    $help{$name} = join '', $rest =~ /"((?:[^"\\]|\\.)*)"/g;
}
my $entries = () = $code =~ /AP_INIT_/g;
is scalar keys %contexts, $entries, 'every table entry was understood';
at_least('directives', $entries, 25);
none [grep { length $help{$_} < 10 } sort keys %help],
    'each has a help text for mod_info and "httpd -L"';

my %in_conf = map { $_ => 1 } $conf =~ /^\s*#?\s*(Upload[A-Z]\w*)\s/mg;
is_deeply [sort keys %in_conf], [sort keys %contexts],
    'conf/upload_pool.conf shows every directive, and no other';

my %entry;
while ($reference =~ /^### (Upload\w+)\n(.*?)(?=^#|\z)/gms) {
    $entry{$1} = $2;
}
is_deeply [sort keys %entry], [sort keys %contexts],
    'the reference explains every directive, and no other';
# Some of S are refused in a virtual host by their setter.
my %where = (
    S => qr/^server config(?:, virtual host)?$/,
    SD => qr/^server config, virtual host, directory$/,
    SDH => qr/^server config, virtual host, directory, \.htaccess$/,
);
my (@incomplete, @elsewhere);
for my $name (sort keys %entry) {
    for my $row (qw(Syntax Default Context Description)) {
        push @incomplete, "$name: $row" unless $entry{$name} =~ /^$row: +\S/m;
    }
    my ($context) = $entry{$name} =~ /^Context: +(.*?)\s*$/m;
    my $kind = $contexts{$name} || '';
    push @elsewhere, "$name: the reference says '$context', the table $kind"
        unless defined $context && $where{$kind} && $context =~ $where{$kind};
    push @incomplete, "$name: Override"
        if $kind eq 'SDH' && $entry{$name} !~ /^Override: +Options$/m;
    push @incomplete, "$name: Syntax does not begin with its name"
        unless $entry{$name} =~ /^Syntax: +\Q$name\E\b/m;
}
none \@incomplete, 'each with Syntax, Default, Context, Description';
none \@elsewhere, 'and the context of the table';

# --- Who may change it --------------------------------------------------------

# After post_config threads and children read the configuration, so nobody
# writes to it who does not read directives; httpd/checks.c ends the reading.
my (@writers, @late);
for my $file (sources()) {
    my $text = bare(slurp($file));
    next unless $text =~ /(?<!const )\bupool_(?:dir|server)_conf \*(?!\w+\))/;
    push @writers, $file;
    next if room_of($file) eq 'config';
    for my $function (functions($file)) {
        next unless "$function->{head}\n$function->{text}"
            =~ /(?<!const )\bupool_(?:dir|server)_conf \*/;
        push @late, "$file: $function->{name}"
            unless $function->{head} =~ /\bcmd_parms\b/
            || "$file $function->{name}" eq 'src/httpd/checks.c share_places';
    }
}
at_least('files that read directives', scalar @writers, 8);
none \@late, 'configuration is changed while it is read, and by nobody else';

# --- Arguments ----------------------------------------------------------------

# What the words behind the name have to look like, for each kind of entry.
my %form = (
    FLAG => qr/^On\|Off$/,
    TAKE1 => qr/^[^\s\[\]]+(?:\[[^\s\]]+\])?$/,
    TAKE2 => qr/^[^\s\[\]]+ [^\s\[\]]+$/,
    TAKE12 => qr/^\S+ \[[^\s\]]+\]$/,
    ITERATE => qr/^\S+(?: \[\S+\])? \.\.\.(?:\|\S+)*$/,
    TAKE_ARGV => qr/ /,
);
my @unlike;
for my $name (sort keys %entry) {
    my ($syntax) = $entry{$name} =~ /^Syntax: +\Q$name\E +(.*)/m;
    push @unlike, "$name: $takes{$name}: $syntax"
        unless $form{ $takes{$name} } && $syntax =~ $form{ $takes{$name} };
}
none \@unlike, 'and the arguments of the table';

# Members of a flag cannot be told from others by their default otherwise.
my @default = grep {
    my ($default) = $entry{$_} =~ /^Default: +(.*)/m;
    $takes{$_} eq 'FLAG' && $default !~ /^$_ (?:On|Off)$/;
} sort keys %entry;
none \@default, 'a flag has a default that is On or Off';

# --- The manual ---------------------------------------------------------------

my %manual;
for my $page (glob 'conf/manual/mod/upload_pool_*.html') {
    my $html = slurp($page);
    while ($html =~ m{<h2><a id="(\w+)">(\w+)</a> Directive</h2>(.*?)</table>}gs) {
        my ($id, $name, $table) = ($1, $2, $3);
        $manual{$name} = { map { s/<[^>]+>//gr =~ s/:\z//r }
            map { /<th>(.*?)<\/th><td>(.*?)<\/td>/ } split /\n/, $table };
        $manual{$name}{id} = $id;
    }
}
is_deeply [sort keys %manual], [sort keys %contexts],
    'the manual has every directive, and no other';
my %shown = (S => 'server config', SD => 'server config, virtual host, directory',
             SDH => 'server config, virtual host, directory, .htaccess');
my @differs;
for my $name (sort keys %manual) {
    my ($row, $kind) = ($manual{$name}, $contexts{$name});
    push @differs, "$name: $_" for
        grep { !defined $row->{$_} } qw(Description Syntax Default Context Status
                                        Module Compatibility);
    push @differs, "$name: context" unless $row->{Context}
        =~ ($kind eq 'S' ? $where{S} : qr/^\Q$shown{$kind}\E$/);
    push @differs, "$name: override" unless ($row->{Override} // '')
        eq ($kind eq 'SDH' ? 'Options' : '');
    push @differs, "$name: syntax" unless $row->{Syntax} =~ /^$name /;
    push @differs, "$name: anchor" unless $row->{id} eq lc $name;
}
none \@differs, 'and says of each what the table says';

# --- Members ----------------------------------------------------------------

my $header = bare(slurp('src/config/config.h'));
my %merge = ('dir', '', 'server', '');
for my $group (glob 'src/config/group_*.c') {
    for my $function (functions($group)) {
        $merge{$function->{name} eq 'merge_server' ? 'server' : 'dir'}
            .= $function->{text} if $function->{name} =~ /^merge/;
    }
}
# Set for all groups at once.
$merge{server} .= $_->{text} for grep { $_->{name} =~ /server_merge/ }
    functions('src/config/config.c');
my ($members, @lost) = (0);
for my $kind (qw(dir server)) {
    my ($struct) = $header =~ /struct upool_${kind}_conf \{(.*?)\}/s;
    for my $member (($struct // '') =~ /(\w+)\s*;/g) {
        $members++;
        push @lost, "$kind: $member" unless $merge{$kind} =~ /\b$member\b/;
    }
}
at_least('configuration members', $members, 20);
none \@lost, 'every member is merged';

done_testing;
