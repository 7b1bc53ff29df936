# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Programs;

# Peers that are programs of their own: Go's net/http, and Node with packages
# of npm. Each starts as a hash of port and process numbers, or undef.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Options;
use Bench::Peers;
use Bench::Process;

our @EXPORT = qw(go_program start_go find_node start_node);

sub started
{
    my ($name, $number, @command) = @_;
    my $pid = start($name, @command);
    return { name => $name, port => $number, pids => [$pid] }
        if listening($number, $pid);
    note("*** $name does not start:", slurp("$opt{dir}/log/$name.out"));
    return undef;
}

# --- Go ---------------------------------------------------------------------

sub go_program { return in_path('go') }

# Parts go to a file as they come, 32 KiB at a time.
sub start_go
{
    my $number = next_port();
    my $source = spew("$opt{dir}/build/main.go", <<'GO');
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func store(r *http.Request, dir string) (string, int64, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return "", 0, err
	}
	part, err := form.NextPart()
	if err != nil {
		return "", 0, err
	}
	file, err := os.CreateTemp(dir, "go-")
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	size, err := io.Copy(file, part)
	if err == nil {
		_, err = form.NextPart()
	}
	if err == io.EOF {
		err = nil
	}
	return file.Name(), size, err
}

func main() {
	for i, place := range []string{"/ram", "/disk"} {
		dir := os.Args[2+i]
		http.HandleFunc(place, func(w http.ResponseWriter, r *http.Request) {
			name, size, err := store(r, dir)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, "{\"path\": %q, \"size\": %d}\n", name, size)
		})
	}
	panic(http.ListenAndServe(os.Args[1], nil))
}
GO
    local $ENV{GOCACHE} = "$opt{dir}/build/go";
    local $ENV{GOPATH} = "$opt{dir}/build/gopath";
    local $ENV{GO111MODULE} = 'off';
    run_or_die("$opt{dir}/build/go.log", go_program(), 'build', '-o',
        "$opt{dir}/build/go-server", $source);
    return started('go', $number, "$opt{dir}/build/go-server",
        "127.0.0.1:$number", "$opt{fast}/go", "$opt{dir}/data/go");
}

# --- Node -------------------------------------------------------------------

# UPOOL_BENCH_NODE names the directory in which npm has installed packages.
sub find_node
{
    my ($package) = @_;
    my $node = in_path('node') or return undef;
    return $opt{node} ne '' && -d "$opt{node}/node_modules/$package"
        ? $node : undef;
}

my %script = (tus => <<'TUS', busboy => <<'BUSBOY');
import { Server } from '@tus/server';
import { FileStore } from '@tus/file-store';
const [, , port, ram] = process.argv;
new Server({ path: '/files', datastore: new FileStore({ directory: ram }) })
    .listen({ host: '127.0.0.1', port });
TUS
import busboy from 'busboy';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { finished } from 'node:stream/promises';
const [, , port, ram, disk] = process.argv;
const places = { '/ram': ram, '/disk': disk };
let number = 0;
createServer((request, response) => {
    const files = [];
    const form = busboy({ headers: request.headers });
    form.on('file', (field, part) => {
        const path = `${places[request.url]}/${++number}`;
        files.push(finished(part.pipe(createWriteStream(path)))
            .then(() => path));
    });
    form.on('close', async () => {
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify(await Promise.all(files)));
    });
    request.pipe(form);
}).listen({ host: '127.0.0.1', port });
BUSBOY

# The script lies where Node looks for its packages, and only as long as that.
sub start_node
{
    my ($name) = @_;
    my $number = next_port();
    my $file = spew("$opt{node}/upool-bench-$name-$$.mjs", $script{$name});
    my $server = started($name, $number, in_path('node'), $file, $number,
        "$opt{fast}/node", "$opt{dir}/data/node");
    unlink $file;
    return $server;
}

1;
