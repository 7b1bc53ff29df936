# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The manual's page of refusals has every reason of the code once, with its
# status, its text and its log tag, and says what helps.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my %told;
my $html = slurp('conf/manual/mod/upload_pool_refusals.html');
for my $section (split /(?=<h2 )/, $html) {
    my ($status) = $section =~ /\A<h2 id="[^"]+">(\d{3}): / or next;
    for ($section =~ m{<tr>(<td.*?</td>)</tr>}g) {
        my @cell = map { s/<[^>]+>//gr } m{<td[^>]*>(.*?)</td>}g;
        my ($reason, $tag) = split ' ', $cell[1];
        push @{ $told{$reason} }, [$status, $cell[0], $tag, $cell[2]];
    }
}

my @name = slurp('src/upload/reasons.c') =~ /\[UPOOL_REASON_(\w+)\] = "\w+"/g;
my %label = slurp('src/upload/reasons.c') =~ /\[UPOOL_REASON_(\w+)\] = "(\w+)"/g;
my ($enum) = slurp('src/upload/refusal.h') =~ /enum upool_reason \{(.*?)\n\}/s;
my @order = ($enum // '') =~ /^ +UPOOL_REASON_(\w+)/mg;
my $code = slurp('src/upload/refusal.c');
at_least('reasons', scalar @name, 60);
is_deeply [sort keys %told], [sort map { $label{$_} } grep { $_ ne 'NONE' } @name],
    'the page has every reason, and no other';
none [grep { @{ $told{$_} } > 1 } sort keys %told], 'and each once';
for my $n (1 .. $#order - 1) {
    my $reason = $order[$n];
    my ($status, $text) = $code =~ /\[UPOOL_REASON_$reason\] *= \{ (\d+), "(.*?)" \}/;
    my $row = ($told{ $label{$reason} } || [[]])->[0];
    is_deeply [@$row[0 .. 2]], [$status, $text, sprintf 'UPL%04d', 100 + $n],
        "$label{$reason}: status, text and tag";
    cmp_ok length($row->[3] // ''), '>', 10, '… and why';
}

# --- Every log tag --------------------------------------------------------------

my $tags = slurp('conf/manual/mod/upload_pool_logtags.html');
my (%row, %level);
while ($tags =~ m{<tr id="upl\d{4}"><td>(UPL\d{4})</td><td[^>]*>(.*?)</td><td[^>]*>(.*?)(?:<br />.*)?</td></tr>}g) {
    ($level{$1}, $row{$1}) = ($2, $3);
}
s/<[^>]+>//g, s/&lt;/</g, s/&gt;/>/g, s/&amp;/&/g for values %row;
my $register = slurp('src/httpd/logtags.h');
my %registered = $register =~ /^ \* (UPL\d{4})  (\S.*(?:\n \* {11}\S.*)*)/mg;
s/\n \* +/ /g for values %registered;
at_least('registered tags', scalar keys %registered, 50);
none [grep { ($row{$_} // '') ne $registered{$_} } sort keys %registered],
    'the page of the log tags has each, in the words of the register';
is_deeply [sort keys %row],
    [sort keys %registered, map { sprintf 'UPL%04d', 100 + $_ } 1 .. $#order - 1],
    'the refusals, and no other';

none [grep { $level{$_} !~ /^(?:crit|error|warn|notice|info|debug|no longer)$/ }
      sort keys %level], 'each with a level of httpd';
my $sources = join "\n", map { slurp($_) } sources();
my @gone = map { s/UPL0*//r } grep { $level{$_} eq 'no longer' } sort keys %level;
none [grep { $sources =~ /,\s*$_,\s*(?:"|\w+[);])/ } @gone],
    'a tag without a level is in no source';
# One of each kind of call, by hand.
is_deeply [@level{qw(UPL0001 UPL0004 UPL0081 UPL0101 UPL0114 UPL0132)}],
    [qw(info crit warn warn info info)], 'levels';

done_testing;
