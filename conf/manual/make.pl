#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
#   perl conf/manual/make.pl [DIRECTORY]
#
# Writes the HTML pages of the manual into DIRECTORY (conf/manual/mod). Each fact
# has one source:
#
#   conf/manual/pages        which pages there are, in which order, which
#                            directives each has, with an example
#   conf/manual/NAME         the text of upload_pool_NAME.html
#   conf/manual/directives   what a directive means
#   src/config/directives.c  its line in "httpd -L" and in the index
#   src/upload               status, text and reason of a refusal
#   src/httpd/logtags.h      the log tags
#   README                   what the module is, the first example, installing
#   conf/examples            whole files that a page shows
#
# Structure and class names are those of httpd's own manual, whose stylesheet the
# pages find when they lie in its directory mod; conf/manual/style has one for
# when they do not.

use strict;
use warnings FATAL => 'all';
use Cwd ();
use File::Basename ();
use File::Path ();

my $here = Cwd::abs_path(File::Basename::dirname(__FILE__));
my $top = Cwd::abs_path("$here/../..");
my $into = Cwd::abs_path($ARGV[0] // "$here/mod") // $ARGV[0];
my $version = '1.0.0';
my $docs = 'https://httpd.apache.org/docs/2.4';

sub slurp
{
    my ($file) = @_;
    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!\n";
    local $/;
    my $text = <$in>;
    return $text;
}

# --- Sources ------------------------------------------------------------------

# name => {Syntax, Default, Context, Override, Description}
sub reference
{
    my %found;
    my $text = slurp("$here/directives");
    while ($text =~ /^### (Upload\w+)\n(.*?)(?=^#|\z)/gms) {
        my ($name, $text) = ($1, $2);
        while ($text =~ /^([A-Z]\w+): +(.*\n(?:(?: +.*)?\n)*)/gm) {
            my ($row, $value) = ($1, $2);
            $value =~ s/^ {13}//mg;
            $value =~ s/\s+\z//;
            $found{$name}{$row} = $value;
        }
    }
    return %found;
}

sub help_texts
{
    my %found;
    my $code = slurp("$top/src/config/directives.c");
    while ($code =~ /AP_INIT_\w+\(\s*"(\w+)"\s*,(.*?)\)\s*,\s*(?=AP_INIT|\{\s*NULL)/gs) {
        my ($name, $rest) = ($1, $2);
        my $text = join '', $rest =~ /"((?:[^"\\]|\\.)*)"/g;
        $found{$name} = ucfirst $text;
    }
    return %found;
}

sub readme_section
{
    my ($title) = @_;
    my ($text) = slurp("$top/README") =~ /^# \Q$title\E\n(.*?)(?=^# |\z)/ms
        or die "README: no section $title\n";
    return $text;
}

# reason => {status, text, tag}, as a client and the error log are told.
sub refusals
{
    my ($enum) = slurp("$top/src/upload/refusal.h")
        =~ /typedef enum upool_reason \{(.*?)\}/s or die "refusal.h: no enum\n";
    my ($base) = slurp("$top/src/httpd/logtags.h")
        =~ /^#define UPOOL_TAG_REFUSAL (\d+)/m or die "logtags.h: no base\n";
    my (%number, %found);
    $number{$_} = keys %number for $enum =~ /\bUPOOL_(REASON_\w+)/g;
    my $names = slurp("$top/src/upload/reasons.c");
    my %name = $names =~ /\[UPOOL_(REASON_\w+)\] = "(\w+)"/g;
    my $rows = slurp("$top/src/upload/refusal.c");
    while ($rows =~ /\[UPOOL_(REASON_\w+)\]\s*=\s*\{ (\d+), "([^"]*)" \}/g) {
        next if $1 eq 'REASON_NONE';
        $found{ $name{$1} } = {status => $2, text => $3,
                               tag => sprintf 'UPL%04d', $base + $number{$1}};
    }
    return %found;
}

# A C string constant in pieces, as a reader of the log finds it.
sub shown_format
{
    my ($text) = @_;
    $text = join '', map { /^"(.*)"$/s ? $1 : 'd' } $text =~ /"(?:[^"\\]|\\.)*"|\w+/g;
    return $text =~ s/%[-0-9.*]*(?:l|ll|z)?[a-zA-Z]/\x{2026}/gr
        =~ s/\x{2026}+(?: \x{2026}+)*/\x{2026}/gr =~ s/\\"/"/gr;
}

# number => {level, line}, from the call sites; a function that has the tag as a
# parameter gives its level to its calls.
sub log_lines
{
    my (%found, %level);
    my $string = qr/"(?:[^"\\]|\\.)*"/;
    my $format = qr/(?:$string|APR_\w+)(?:\s*(?:$string|APR_\w+))*/;
    for my $file (glob("$top/src/*/*.c"), "$top/mod_upload_pool.c") {
        my $code = slurp($file);
        while ($code =~ /\bupool_[rs]log\(\s*[^,;]+,\s*(\w+),[^;"]*?,\s*(\d+),\s*($format)/g) {
            $found{ $2 + 0 } = {level => $1, line => shown_format($3)};
        }
        my @wrapper = $code
            =~ /^static \w+ (\w+)\([^)]*\bint tag\b[^)]*\)\n\{(.*?)^\}/gms;
        while (my ($name, $body) = splice @wrapper, 0, 2) {
            my ($level) = $body =~ /APLOG_((?!MARK)\w+).*?"UPL%04d: /s or next;
            $found{ $_ + 0 } = {level => $level, line => ''}
                for $code =~ /\b$name\(\s*\w+,\s*(\d+),/g;
        }
    }
    my %named = (ERR => 'error', WARNING => 'warn');
    $_->{level} = $named{ $_->{level} } // lc $_->{level} for values %found;
    return %found;
}

# A list of {tag, level, what, line}, refusals behind the others.
sub log_tags
{
    my (%refusal) = @_;
    my %line = log_lines();
    my @found = slurp("$top/src/httpd/logtags.h")
        =~ /^ \* (UPL\d{4})  (\S.*(?:\n \* {10,}\S.*)*)/mg;
    my @list;
    while (my ($tag, $what) = splice @found, 0, 2) {
        my $of = $line{ substr($tag, 3) + 0 } // {level => 'no longer', line => ''};
        push @list, {tag => $tag, what => $what =~ s/\n \* +/ /gr, %$of};
    }
    my ($rule) = slurp("$top/src/httpd/reply.c")
        =~ /^static int refusal_level\((.*?)^\}/ms or die "reply.c: no levels\n";
    my %weather = map { lc $_ => 1 } $rule =~ /UPOOL_REASON_(\w+)/g;
    push @list, map {
        my $row = $refusal{$_};
        { tag => $row->{tag}, what => "a refusal with $row->{status}: $_",
          level => $weather{$_} ? 'info' : $row->{status} >= 500 ? 'error' : 'warn',
          line => "upload \x{2026} refused with $row->{status}: $row->{text}" };
    } sort { $refusal{$a}{tag} cmp $refusal{$b}{tag} } keys %refusal;
    return @list;
}

# The text of a page. A line "include FILE" stands for that file of
# conf/examples, "README: SECTION" for that section, "NAME | why" in the page of
# the refusals for that reason.
sub source
{
    my ($name, $refusal) = @_;
    return '' unless -f "$here/$name";
    my $text = slurp("$here/$name");
    $text =~ s{^include (\S+)\n}{slurp("$top/conf/examples/$1") =~ s/^(?=.)/    /mgr}mge;
    $text =~ s{^README: (.*)\n}{readme_section($1) =~ s/\A\n+//r}mge;
    return $text unless $name eq 'refusals';
    my $status = 0;
    return join '', map {
        $status = $1 if /^# (\d+)/;
        if (/^\| (\w+) \| (.*)/ && $refusal->{$1}) {
            my ($reason, $why, $row) = ($1, $2, $refusal->{$1});
            die "refusals: $reason is $row->{status}, not $status\n"
                if $row->{status} != $status;
            $_ = "| $row->{text} | $reason $row->{tag} | $why\n";
        }
        $_;
    } split /^/, $text;
}

# Sections "# TITLE" in {title, id, text, parts}, and in them "## TITLE". A
# comment within a block is no title.
sub sections
{
    my ($text) = @_;
    my ($intro, @section) = split /^# /m, $text;
    my $named = sub {
        my ($title, $body) = $_[0] =~ /\A([^\n]*)\n(.*)\z/s;
        return {title => $title, text => $body,
                id => lc($title) =~ s/[^a-z0-9]+/-/gr =~ s/^-|-$//gr};
    };
    return $intro // '', map {
        my ($first, @part) = split /^## /m, $_;
        my $section = $named->($first);
        $section->{parts} = [map { $named->($_) } @part];
        $section;
    } @section;
}

# A list of {file, name, title, intro, sections, directives => [{name, example,
# more}]}.
sub pages
{
    my (%refusal) = @_;
    my ($head, @page) = split /^== /m, slurp("$here/pages");
    return map {
        my ($first, @directive) = split /^-- /m, $_;
        my ($name, $title, $intro) = $first =~ /\Aupload_pool_(\w+): ([^\n]*)\n(.*)\z/s
            or die "pages: no title: $first\n";
        my ($more, @section) = sections(source($name, \%refusal));
        { file => "upload_pool_$name", name => $name, title => $title,
          intro => "$intro\n$more", sections => \@section, directives => [
            map {
                my ($name, $rest) = /\A(\w+)\n(.*)\z/s
                    or die "pages: no directive: $_\n";
                my $more = $rest =~ s/\ACompatibility: ([^\n]*)\n// ? $1 : undef;
                $rest =~ s/^ {4}//mg;
                $rest =~ s/\s+\z//;
                die "pages: $name has no example\n" unless $rest =~ /\S/;
                { name => $name, example => $rest, more => $more };
            } @directive ] };
    } @page;
}

my %reference = reference();
for my $name (sort keys %reference) {
    for (qw(Syntax Default Context Description)) {
        die "directives: $name has no $_\n" unless defined $reference{$name}{$_};
    }
}
my %help = help_texts();
my %refusal = refusals();
my @tag = log_tags(%refusal);
my %tag = map { $_->{tag} => 1 } @tag;
my @page = pages(%refusal);
my (%page_of, %titled, %times);
for my $page (@page) {
    for (map { $_->{name} } @{ $page->{directives} }) {
        die "pages: $_ is there twice\n" if $page_of{$_};
        die "pages: $_ is not in directives\n" unless $reference{$_};
        die "pages: $_ is not in directives.c\n" unless $help{$_};
        $page_of{$_} = $page->{file};
    }
    for (map { $_, @{ $_->{parts} } } @{ $page->{sections} }) {
        $titled{ $_->{title} } = "$page->{file}.html#$_->{id}";
        $times{ $_->{title} }++;
    }
}
$titled{ $_->{title} } = "$_->{file}.html" for @page;
for (sort keys %help) {
    die "conf/manual/pages does not have $_: it needs a place and an example\n"
        unless $page_of{$_};
}

# --- Text to HTML -------------------------------------------------------------

sub escaped
{
    my ($text) = @_;
    $text =~ s/&/&amp;/g;
    $text =~ s/</&lt;/g;
    $text =~ s/>/&gt;/g;
    return $text;
}

sub directive_link
{
    my ($name) = @_;
    return qq(<code class="directive"><a href="$page_of{$name}.html#)
        . lc($name) . qq(">$name</a></code>);
}

sub linked
{
    my ($own, %is) = @_;
    if (defined $is{url}) {
        return qq(<a href="$is{url}">$is{url}</a>);
    }
    if (defined $is{tag}) {
        return $is{tag} unless $tag{ $is{tag} };
        return qq(<a href="upload_pool_logtags.html#) . lc($is{tag})
            . qq(">$is{tag}</a>);
    }
    if (defined $is{name}) {
        return !$page_of{ $is{name} } ? $is{name}
            : defined $own && $is{name} eq $own
                ? qq(<code class="directive">$is{name}</code>)
            : directive_link($is{name});
    }
    my $title = $is{title} =~ s/\s+/ /gr;
    die "\"$title\" is the title of several sections\n" if ($times{$title} // 0) > 1;
    return $titled{$title} ? qq(<a href="$titled{$title}">$title</a>)
        : '"' . inside($own, $is{title}) . '"';
}

# What stands between quotes and is no title may have names in it all the same.
sub inside
{
    my ($own, $text) = @_;
    $text =~ s{\b(?<name>Upload[A-Z]\w+)\b}{linked($own, %+)}ge;
    return $text;
}

# Names of directives become links, as do addresses, log tags and the titles of
# pages and sections in quotes.
sub inline
{
    my ($text, $own) = @_;
    $text = escaped($text);
    $text =~ s{(?<url>\bhttps?://[^\s)"]+[^\s)".,;:]) | "(?<title>[^"<>]+)"
               | \b(?<tag>UPL\d{4})\b | \b(?<name>Upload[A-Z]\w+)\b}
        {linked($own, %+)}gex;
    return $text;
}

sub code_block
{
    my ($text, $kind) = @_;
    $text =~ s/^ {4}//mg;
    $text =~ s/\s+\z//;
    return qq(<pre class="prettyprint lang-$kind">) . escaped($text) . "</pre>\n";
}

# A table of HTML: headings, then rows of [identifier or undef, cell ...]. In a
# narrow window cells stand below each other, each with its heading.
sub bordered
{
    my ($head, @row) = @_;
    my @plain = map { s/<[^>]+>//gr } @$head;
    my $cells = sub {
        return join '', map { $_ ? qq(<td data-head="$plain[$_]">$_[$_]</td>)
                                 : "<td>$_[0]</td>" } 0 .. $#_;
    };
    return '<table class="bordered"><tr class="header">'
        . join('', map { "<th>$_</th>" } @$head) . "</tr>\n"
        . join('', map {
            my ($id, @cell) = @$_;
            '<tr' . (defined $id ? qq( id="$id") : '') . '>' . $cells->(@cell)
                . "</tr>\n" } @row) . "</table>\n";
}

# Lines "| cell | cell |", of which the first has the headings.
sub table
{
    my ($own, @line) = @_;
    my ($head, @row) = map { [map { inline($_, $own) } split /\s+\|\s+/,
                              s/^\|\s+|\s+\|$//gr] } @line;
    return bordered($head, map { [undef, @$_] } @row);
}

# One word, or several between commas, and two blanks behind it.
my $term = qr/\S+(?:, \S+)*(?= {2,}\S)/;

# Paragraphs, "- " lists, "word  meaning" lists, tables, indented blocks.
sub blocks
{
    my ($text, $own, $kind_of) = @_;
    my ($html, @line) = ('', split /\n/, $text);
    my $take = sub {
        my ($more) = @_;
        my @got;
        push @got, shift @line while @line && $line[0] =~ $more;
        return @got;
    };
    while (@line) {
        if ($line[0] !~ /\S/) {
            shift @line;
        }
        elsif ($line[0] =~ /^ {2,}/) {
            my @got = $take->(qr/^ {2,}|^\s*$/);
            my $block = join "\n", @got;
            my ($indent) = $block =~ /^( +)/;
            $block =~ s/^$indent/    /mg;
            $html .= code_block($block,
                $kind_of ? $kind_of->($block) : 'config');
        }
        elsif ($line[0] =~ /^- /) {
            $html .= "<ul>\n";
            while (@line && $line[0] =~ /^- (.*)/) {
                my $item = $1;
                shift @line;
                $item .= "\n$_" for map { s/^ +//r } $take->(qr/^ {2}\S/);
                $html .= '<li>' . inline($item, $own) . "</li>\n";
            }
            $html .= "</ul>\n";
        }
        elsif ($line[0] =~ /^\| /) {
            $html .= table($own, $take->(qr/^\| /));
        }
        elsif ($line[0] =~ /^$term/) {
            $html .= "<dl>\n";
            while (@line && $line[0] =~ /^($term) +(.*)/) {
                my ($word, $meaning) = ($1, $2);
                shift @line;
                $meaning .= "\n$_" for map { s/^ +//r } $take->(qr/^ {4}/);
                $html .= '<dt><code>' . escaped($word) . '</code></dt><dd>'
                    . inline($meaning, $own) . "</dd>\n";
            }
            $html .= "</dl>\n";
        }
        else {
            my @got = $take->(qr/^(?!- )(?!\| )(?!$term)\S/);
            $html .= '<p>' . inline(join("\n", @got), $own) . "</p>\n";
        }
    }
    return $html;
}

# --- Pages --------------------------------------------------------------------

sub dict
{
    my ($row, $of) = @_;
    return qq(<a href="$docs/mod/$of-dict.html#$row">$row:</a>);
}

sub menu
{
    return qq(<p class="menu"><a href="mod_upload_pool.html">mod_upload_pool</a> | )
        . qq(<a href="mod_upload_pool.html#directives">Directives</a> | )
        . join('', map { qq(<a href="upload_pool_$_->[0].html">$_->[1]</a> | ) }
               [start => 'Get it running'], [howto => 'How-To'])
        . qq(<a href="$docs/">Apache HTTP Server 2.4</a></p>);
}

sub write_page
{
    my ($file, $title, $body, $id) = @_;
    my $html = <<"END";
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en" xml:lang="en"><head>
<meta charset="UTF-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<!-- Made by conf/manual/make.pl; do not edit. -->
<title>$title - mod_upload_pool</title>
<link href="../style/css/manual.css" rel="stylesheet" media="all" type="text/css" title="Main stylesheet" />
</head>
<body id="$id">
<div id="page-header" role="banner">
${\menu()}
<p class="apache">mod_upload_pool $version</p>
</div>
<div id="path" role="navigation" aria-label="Where this is">
<a href="https://httpd.apache.org/">HTTP Server</a> &gt; <a href="$docs/">Version 2.4</a> &gt; <a href="$docs/mod/">Modules</a> &gt; <a href="mod_upload_pool.html">mod_upload_pool</a></div>
<div id="page-content" role="main">
$body</div>
${\slurp("$here/search.html")}<div id="footer" role="contentinfo">
<p class="apache">Copyright the mod_upload_pool authors.<br />Licensed under the <a href="https://www.apache.org/licenses/LICENSE-2.0">Apache License, Version 2.0</a>.</p>
${\menu()}</div>
</body></html>
END
    $html =~ s/[ \t]+$//mg;
    open my $out, '>:encoding(UTF-8)', "$into/$file.html"
        or die "$into/$file.html: $!\n";
    print {$out} $html or die "$file: $!\n";
    close $out or die "$file: $!\n";
    return;
}

sub to_top { return qq(<div class="top"><a href="#page-header">top</a></div>\n) }

sub directive_section
{
    my ($d) = @_;
    my $name = $d->{name};
    my $row = $reference{$name};
    my $lower = lc $name;
    my $compatible = "mod_upload_pool $version and later, httpd 2.4.44 and later"
        . (defined $d->{more} ? "; $d->{more}" : '.');
    my $code = sub { '<code>' . escaped($_[0]) . '</code>' };
    my $syntax = $row->{Syntax} =~ s/\n/ /r;
    my $default = $row->{Default} =~ /^Upload/ ? $code->($row->{Default})
        : inline($row->{Default}, $name);
    my @rows = (['Description', inline($help{$name}, $name)],
                ['Syntax', $code->($syntax)], ['Default', $default],
                ['Context', escaped($row->{Context})],
                $row->{Override} ? ['Override', escaped($row->{Override})] : (),
                ['Status', 'Extension'],
                ['Module', 'mod_upload_pool'],
                ['Compatibility', inline($compatible, $name)]);
    return to_top() . qq(<div class="directive-section"><h2>)
        . qq(<a id="$lower">$name</a> Directive</h2>\n)
        . qq(<table class="directive">\n)
        . join('', map { '<tr><th>' . dict($_->[0], 'directive')
                         . "</th><td>$_->[1]</td></tr>\n" } @rows)
        . "</table>\n" . blocks($row->{Description}, $name)
        . qq(<div class="example"><h3>Example</h3>)
        . code_block($d->{example} =~ s/^(?=.)/    /mgr, 'config')
        . "</div>\n</div>\n";
}

sub toc
{
    my (@item) = @_;
    return join '', map { qq(<li><a href="$_->[0]">$_->[1]</a></li>\n) } @item;
}

sub topics
{
    return toc(map { ["$_->{file}.html", escaped($_->{title})] } @_);
}

sub section
{
    my ($section) = @_;
    my $kind = sub {
        return $_[0] =~ /^ *(?:\$|make|apt|apxs|chgrp|upload-pool) /m ? 'sh'
            : $_[0] =~ /^ *(?:<\?php|import |use |const |#include|static |<script)/m
                ? 'code' : 'config';
    };
    return to_top()
        . qq(<div class="section"><h2 id="$section->{id}">)
        . escaped($section->{title}) . "</h2>\n"
        . blocks($section->{text}, undef, $kind)
        . join('', map { qq(<h3 id="$_->{id}">) . escaped($_->{title}) . "</h3>\n"
                         . blocks($_->{text}, undef, $kind) }
               @{ $section->{parts} }) . "</div>\n";
}

sub tag_table
{
    my %of = (title => 'Every log tag', id => 'tags');
    return \%of, to_top()
        . qq(<div class="section"><h2 id="$of{id}">$of{title}</h2>\n)
        . bordered(['Tag', 'Level', 'What it tells of, and the line'], map {
            my $line = $_->{line} eq '' ? ''
                : '<br /><code>' . escaped($_->{line}) . '</code>';
            [lc $_->{tag}, @$_{qw(tag level)}, inline($_->{what}) . $line]
        } @tag) . "</div>\n";
}

sub topic_page
{
    my ($page) = @_;
    my @section = @{ $page->{sections} };
    my $html = join '', map { section($_) } @section;
    if ($page->{name} eq 'logtags') {
        my ($of, $table) = tag_table();
        push @section, $of;
        $html .= $table;
    }
    my @directive = @{ $page->{directives} };
    my $body = qq(<div id="preamble"><h1>) . escaped($page->{title}) . "</h1>\n"
        . blocks($page->{intro}) . "</div>\n"
        . qq(<div id="quickview">)
        . (@section ? qq(<h3>Topics</h3>\n<ul id="topics">\n)
           . toc(map { ["#$_->{id}", escaped($_->{title})] } @section) . "</ul>\n"
           : '')
        . (@directive ? qq(<h3 class="directives">Directives</h3>\n<ul id="toc">\n)
           . toc(map { ['#' . lc $_->{name}, $_->{name}] } @directive) . "</ul>\n"
           : '')
        . qq(<h3>See also</h3>\n<ul class="seealso">\n)
        . topics(grep { $_ != $page } @page) . "</ul></div>\n"
        . $html . join '', map { directive_section($_) } @directive;
    return write_page($page->{file}, $page->{title}, $body, 'manual-page');
}

# The README's table of who begins where.
sub beginnings
{
    my ($head, @row) = map { [split / {2,}/, s/^ +//r] }
        map { split /\n/ } slurp("$top/README") =~ /^( {4}I have .*?)\n\n/ms
        or die "README: no table I have\n";
    my %title = map { ("$_->{file}.html" => $_->{title}) } @page;
    return bordered(['I have', 'The line for it', 'More in'], map {
        my ($what, $line, $file) = @$_;
        die "README: there is no page $file\n" unless $title{$file};
        [undef, inline($what), inline($line),
         qq(<a href="$file">$title{$file}</a>)];
    } @row);
}

sub module_page
{
    my @rows = (['Description', 'Takes file uploads out of requests'],
                ['Status', 'Extension'],
                ['ModuleIdentifier', 'upload_pool_module'],
                ['SourceFile', 'mod_upload_pool.c']);
    my $body = qq(<div id="preamble"><h1>Apache Module mod_upload_pool</h1>\n)
        . qq(<table class="module">)
        . join("\n", map { '<tr><th>' . dict($_->[0], 'module')
                           =~ s/(>\w+)([A-Z]\w+:)/$1 $2/r
                           . "</th><td>$_->[1]</td></tr>" } @rows)
        . "</table>\n<h3>Summary</h3>\n" . blocks(readme_section('What it is'))
        . beginnings() . "</div>\n"
        . qq(<div id="quickview"><h3>Topics</h3>\n<ul id="topics">\n)
        . topics(@page)
        . qq(</ul>\n<h3 class="directives">Directives</h3>\n<ul id="toc">\n)
        . toc(map { ["$page_of{$_}.html#" . lc $_, $_] } sort keys %page_of)
        . "</ul></div>\n"
        . to_top()
        . qq(<div class="section"><h2 id="directives">Directives</h2>\n)
        . blocks(slurp("$here/directives") =~ s/^### .*//msr)
        . join('', map {
            qq(<h3><a href="$_->{file}.html">) . escaped($_->{title})
            . qq(</a></h3>\n<table class="qref">\n)
            . join('', map {
                '<tr><td>' . directive_link($_->{name}) . '</td><td class="descr">'
                . escaped($help{$_->{name}}) . "</td></tr>\n"
            } @{ $_->{directives} }) . "</table>\n"
        } grep { @{ $_->{directives} } } @page) . "</div>\n";
    return write_page('mod_upload_pool', 'Apache Module', $body,
                      'module-index');
}

File::Path::make_path($into);
module_page();
topic_page($_) for @page;
