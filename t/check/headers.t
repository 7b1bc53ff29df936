# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Prototypes are documented where a reader looks for them: right above.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my (%count, %bare, @bare, @no_page);
for my $header (headers()) {
    my $part = $header =~ /^include/ ? 'include' : 'src';
    for my $proto (prototypes($header)) {
        $count{$part}++;
        next if $proto->{documented};
        $bare{$part}++;
        push @bare, "$header:$proto->{line} $proto->{name}";
    }
    # The page of the file: a comment before the first declaration.
    my $text = slurp($header);
    my ($head) = $text =~ /\A(.*?)^(?:typedef|struct|enum|[a-z]\w* )/ms;
    my $comments = () = ($head // $text) =~ m{/\*}g;
    push @no_page, $header if $comments < 2;
}
at_least('prototypes of src/', $count{src} // 0, 80);
at_least('headers of include/', scalar(glob 'include/*.h') ? 1 : 0, 1);
is $bare{include} // 0, 0, 'include/: every prototype is documented';
my $share = 100 * (1 - ($bare{src} // 0) / ($count{src} || 1));
cmp_ok $share, '>=', 90,
    sprintf 'src/: %.0f %% of the prototypes are documented', $share;
diag "undocumented: $_" for @bare;
none \@no_page, 'each header opens with what it is about';

done_testing;
