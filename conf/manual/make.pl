#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
#   perl conf/manual/make.pl [DIRECTORY]
#
# Writes the HTML pages of the manual into DIRECTORY (conf/manual/mod): what a
# directive means from the README, what it is called in "httpd -L" from the
# table in src/config/directives.c, order and examples from conf/manual/pages,
# the how-to page from conf/manual/howto, the one on proxies from conf/manual/front
# with the files of conf/examples, the one on troubles from
# conf/manual/symptoms. Structure and class names are those of httpd's
# own manual, whose stylesheet the pages find when they lie in its
# directory mod; conf/manual/style has one for when they do not.

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
    my $readme = slurp("$top/README");
    while ($readme =~ /^### (Upload\w+)\n(.*?)(?=^#)/gms) {
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

# A list of {file, title, intro, directives => [{name, example, more}]}.
sub pages
{
    my ($head, @page) = split /^== /m, slurp("$here/pages");
    return map {
        my ($first, @directive) = split /^-- /m, $_;
        my ($file, $title, $intro) = $first =~ /\A(\w+): ([^\n]*)\n(.*)\z/s
            or die "pages: no title: $first\n";
        { file => $file, title => $title, intro => $intro, directives => [
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
        die "README: $name has no $_\n" unless defined $reference{$name}{$_};
    }
}
my %help = help_texts();
my @page = pages();
my %page_of;
for my $page (@page) {
    for (map { $_->{name} } @{ $page->{directives} }) {
        die "pages: $_ is there twice\n" if $page_of{$_};
        die "pages: $_ is not in the README\n" unless $reference{$_};
        die "pages: $_ is not in directives.c\n" unless $help{$_};
        $page_of{$_} = $page->{file};
    }
}
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

# Names of directives become links, addresses too.
sub inline
{
    my ($text, $own) = @_;
    $text = escaped($text);
    $text =~ s{\b(https?://[^\s)"]+[^\s)".,;:])}{<a href="$1">$1</a>}g;
    $text =~ s{\b(Upload[A-Z]\w+)\b}
        {!$page_of{$1} ? $1
         : defined $own && $1 eq $own ? qq(<code class="directive">$1</code>)
         : directive_link($1)}ge;
    return $text;
}

sub code_block
{
    my ($text, $kind) = @_;
    $text =~ s/^ {4}//mg;
    $text =~ s/\s+\z//;
    return qq(<pre class="prettyprint lang-$kind">) . escaped($text) . "</pre>\n";
}

# Lines "| cell | cell |", of which the first has the headings.
sub table
{
    my ($own, @line) = @_;
    my @row = map { [map { inline($_, $own) } split /\s+\|\s+/,
                     s/^\|\s+|\s+\|$//gr] } @line;
    my $head = shift @row;
    return '<table class="bordered"><tr class="header">'
        . join('', map { "<th>$_</th>" } @$head) . "</tr>\n"
        . join('', map { '<tr>' . join('', map { "<td>$_</td>" } @$_)
                         . "</tr>\n" } @row) . "</table>\n";
}

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
        elsif ($line[0] =~ /^\S+ {2,}\S/) {
            $html .= "<dl>\n";
            while (@line && $line[0] =~ /^(\S+) {2,}(\S.*)/) {
                my ($word, $meaning) = ($1, $2);
                shift @line;
                $meaning .= "\n$_" for map { s/^ +//r } $take->(qr/^ {4}/);
                $html .= '<dt><code>' . escaped($word) . '</code></dt><dd>'
                    . inline($meaning, $own) . "</dd>\n";
            }
            $html .= "</dl>\n";
        }
        else {
            my @got = $take->(qr/^(?!- )(?!\| )(?!\S+ {2,}\S)\S/);
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
        . qq(<a href="upload_pool_howto.html">How-To</a> | )
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
<div id="page-header">
${\menu()}
<p class="apache">mod_upload_pool $version</p>
</div>
<div id="path">
<a href="https://httpd.apache.org/">HTTP Server</a> &gt; <a href="$docs/">Version 2.4</a> &gt; <a href="$docs/mod/">Modules</a> &gt; <a href="mod_upload_pool.html">mod_upload_pool</a></div>
<div id="page-content">
$body</div>
<div id="footer">
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

# Pages of text: the first is in every menu.
my @text = (['upload_pool_howto.html', 'How-To'],
            ['upload_pool_front.html', 'In front of it'],
            ['upload_pool_symptoms.html', 'When it does not work']);

sub toc
{
    my (@item) = @_;
    return join '', map { qq(<li><a href="$_->[0]">$_->[1]</a></li>\n) } @item;
}

sub others
{
    my ($own) = @_;
    return qq(<h3>See also</h3>\n<ul class="seealso">\n)
        . toc((map { ["$_->{file}.html", escaped($_->{title})] }
               grep { $_->{file} ne $own } @page),
              (grep { $_->[0] ne "$own.html" } @text))
        . "</ul>";
}

sub group_page
{
    my ($page) = @_;
    my $body = qq(<div id="preamble"><h1>) . escaped($page->{title}) . "</h1>\n"
        . blocks($page->{intro}) . "</div>\n"
        . qq(<div id="quickview"><h3 class="directives">Directives</h3>\n)
        . qq(<ul id="toc">\n)
        . toc(map { ['#' . lc $_->{name}, $_->{name}] } @{ $page->{directives} })
        . "</ul>\n" . others($page->{file}) . "</div>\n"
        . join '', map { directive_section($_) } @{ $page->{directives} };
    return write_page($page->{file}, $page->{title}, $body, 'manual-page');
}

sub module_page
{
    my ($what) = slurp("$top/README") =~ /^# What it is\n\n(.*?)\n\n/ms
        or die "README: no section What it is\n";
    my @rows = (['Description', 'Takes file uploads out of requests'],
                ['Status', 'Extension'],
                ['ModuleIdentifier', 'upload_pool_module'],
                ['SourceFile', 'mod_upload_pool.c']);
    my $body = qq(<div id="preamble"><h1>Apache Module mod_upload_pool</h1>\n)
        . qq(<table class="module">)
        . join("\n", map { '<tr><th>' . dict($_->[0], 'module')
                           =~ s/(>\w+)([A-Z]\w+:)/$1 $2/r
                           . "</th><td>$_->[1]</td></tr>" } @rows)
        . "</table>\n<h3>Summary</h3>\n" . blocks($what) . "</div>\n"
        . qq(<div id="quickview"><h3>Topics</h3>\n<ul id="topics">\n)
        . toc(@text,
              map { ["$_->{file}.html", escaped($_->{title})] } @page)
        . qq(</ul>\n<h3 class="directives">Directives</h3>\n<ul id="toc">\n)
        . toc(map { ["$page_of{$_}.html#" . lc $_, $_] } sort keys %page_of)
        . "</ul></div>\n"
        . to_top()
        . qq(<div class="section"><h2 id="directives">Directives</h2>\n)
        . join('', map {
            qq(<h3><a href="$_->{file}.html">) . escaped($_->{title})
            . qq(</a></h3>\n<table class="qref">\n)
            . join('', map {
                '<tr><td>' . directive_link($_->{name}) . '</td><td class="descr">'
                . escaped($help{$_->{name}}) . "</td></tr>\n"
            } @{ $_->{directives} }) . "</table>\n" } @page) . "</div>\n";
    return write_page('mod_upload_pool', 'Apache Module', $body,
                      'module-index');
}

# --- Pages of text ------------------------------------------------------------

# A line "include FILE" stands for that file of conf/examples.
sub source
{
    my ($name) = @_;
    my $text = slurp("$here/$name");
    $text =~ s{^include (\S+)\n}{slurp("$top/conf/examples/$1") =~ s/^(?=.)/    /mgr}mge;
    return $text;
}

# Sections "# TITLE", and in them "## TITLE".
sub text_page
{
    my ($name, $title_of_page) = @_;
    # A comment within a block is no title.
    my ($intro, @section) = split /^# /m, source($name);
    my ($html, @toc) = ('');
    my $kind = sub {
        return $_[0] =~ /^ *\$ /m ? 'sh' : $_[0] =~ /^ *(?:<\?php|import |use |const )/m
            ? 'code' : 'config';
    };
    for (@section) {
        my ($title, $text) = /\A([^\n]*)\n(.*)\z/s;
        my $id = lc($title) =~ s/[^a-z0-9]+/-/gr =~ s/^-|-$//gr;
        push @toc, ["#$id", escaped($title)];
        my ($first, @part) = split /^## /m, $text;
        $html .= to_top() . qq(<div class="section"><h2 id="$id">)
            . escaped($title) . "</h2>\n" . blocks($first, undef, $kind);
        for (@part) {
            my ($sub, $body) = /\A([^\n]*)\n(.*)\z/s;
            my $sub_id = lc($sub) =~ s/[^a-z0-9]+/-/gr =~ s/^-|-$//gr;
            $html .= qq(<h3 id="$sub_id">) . escaped($sub) . "</h3>\n"
                . blocks($body, undef, $kind);
        }
        $html .= "</div>\n";
    }
    my $body = qq(<div id="preamble"><h1>$title_of_page</h1>\n) . blocks($intro)
        . qq(</div>\n<div id="quickview"><h3>Topics</h3>\n<ul id="topics">\n)
        . toc(@toc) . "</ul>\n" . others("upload_pool_$name")
        . "</div>\n" . $html;
    return write_page("upload_pool_$name", $title_of_page, $body,
                      'manual-page');
}

File::Path::make_path($into);
module_page();
group_page($_) for @page;
text_page('howto', 'How-To');
text_page('front', 'In front of it');
text_page('symptoms', 'When it does not work');
