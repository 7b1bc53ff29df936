// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_upload_pool authors

// What mime/multipart reads from each body of a file of UploadPool::Parsers: a
// line for each, "go NUMBER READING".
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"os"
)

type file struct {
	Name   string
	Type   []string
	Size   int64
	Digest string
}

func digest(header *multipart.FileHeader) (string, error) {
	in, err := header.Open()
	if err != nil {
		return "", err
	}
	defer in.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

func read(contentType string, body []byte) (string, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "", err
	}
	reader := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	form, err := reader.ReadForm(32 << 20)
	if err != nil {
		return "", err
	}
	defer form.RemoveAll()
	// As bytes: JSON would repair what is not UTF-8.
	values := map[string][]string{}
	for name, several := range form.Value {
		for _, value := range several {
			quoted := fmt.Sprintf("%q", value)
			values[fmt.Sprintf("%q", name)] =
				append(values[fmt.Sprintf("%q", name)], quoted)
		}
	}
	files := map[string][]file{}
	for name, several := range form.File {
		for _, header := range several {
			sum, err := digest(header)
			if err != nil {
				return "", err
			}
			files[fmt.Sprintf("%q", name)] =
				append(files[fmt.Sprintf("%q", name)], file{
					fmt.Sprintf("%q", header.Filename),
					header.Header["Content-Type"], header.Size, sum})
		}
	}
	said, err := json.Marshal(map[string]interface{}{
		"values": values, "files": files})
	return string(said), err
}

func main() {
	source, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	in := bufio.NewReader(source)
	for {
		var number, typeLength, length int
		if _, err := fmt.Fscanf(in, "%d %d %d\n",
			&number, &typeLength, &length); err != nil {
			break
		}
		record := make([]byte, typeLength+length)
		if _, err := io.ReadFull(in, record); err != nil {
			panic(err)
		}
		said, err := read(string(record[:typeLength]), record[typeLength:])
		if err != nil {
			said = fmt.Sprintf("error: %q", err.Error())
		}
		fmt.Printf("go %d %s\n", number, said)
	}
}
