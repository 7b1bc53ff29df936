# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What Rack reads from each body of a file of UploadPool::Parsers: a line for
# each, "rack NUMBER READING".

require 'digest'
require 'json'
require 'rack'
require 'stringio'

# Bytes, and the encoding that Rack says they are in.
def text(string)
  [string.encoding.to_s,
   string.b.force_encoding('ISO-8859-1').encode('UTF-8')]
end

def plain(value)
  case value
  when Hash
    if value[:tempfile]
      ['file', text(value[:filename]), value[:type], text(value[:name]),
       Digest::SHA256.hexdigest(value[:tempfile].read)]
    else
      value.map { |name, one| [text(name), plain(one)] }
           .sort_by { |name, _| name[1] }
    end
  when Array then value.map { |one| plain(one) }
  when String then text(value)
  else value
  end
end

def read(type, body)
  environment = {
    'REQUEST_METHOD' => 'POST', 'CONTENT_TYPE' => type,
    'CONTENT_LENGTH' => body.bytesize.to_s, 'rack.input' => StringIO.new(body)
  }
  JSON.generate(plain(Rack::Request.new(environment).POST))
rescue StandardError => e
  "error: #{e.class} #{e.message.b.tr("\n", ' ').inspect}"
end

File.open(ARGV[0], 'rb') do |source|
  while (line = source.gets)
    number, type, length = line.split.map(&:to_i)
    type = source.read(type) || ''
    puts "rack #{number} #{read(type, source.read(length) || ''.b)}"
  end
end
