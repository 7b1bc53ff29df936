# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Every call to the error log has its own number, and logtags.h knows it.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my @registered = slurp('src/httpd/logtags.h') =~ /^ \* UPL(\d{4})  \S/mg;
my %known;
none [grep { $known{$_ + 0}++ } @registered],
    'no number is registered twice';
is_deeply \@registered, [sort @registered], 'the register is in order';
at_least('registered tags', scalar @registered, 15);

my (%used, @odd, $calls);
for my $file (sources()) {
    my $text = bare(slurp($file));
    while ($text =~ /\bupool_[rsp]log\s*\(([^;]*?),\s*"/gs) {
        my @args = split /,\s*/, $1;
        $calls++;
        my $tag = $args[-1];
        if ($tag =~ /^\d+$/) {
            push @{ $used{$tag} }, $file;
        }
        elsif ($tag !~ /UPOOL_TAG_REFUSAL/) {
            push @odd, "$file: $tag";
        }
    }
}
at_least('log calls', $calls // 0, 15);
none \@odd, 'a tag is a number, or one of the refusals';
none [map { "$_: @{ $used{$_} }" }
           grep { @{ $used{$_} } > 1 } sort keys %used],
    'no number has two call sites';
none [grep { !$known{$_} } sort keys %used],
    'every number in use is registered';
# A wrapper that passes the level or the number on carries the tag itself.
my @direct;
for my $file (sources()) {
    my $text = slurp($file);
    while ($text =~ /(\bap_log_\w*error\s*\([^;]*?)"([^"]*)"/gs) {
        push @direct, "$file: $2" unless $2 =~ /^UPL%04d: /;
    }
}
none \@direct, 'nobody logs without a tag';

done_testing;
