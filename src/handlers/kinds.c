/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/kinds.h"

#include <string.h>

#define IMAGES UPOOL_GROUP_IMAGES
#define AUDIO UPOOL_GROUP_AUDIO
#define VIDEO UPOOL_GROUP_VIDEO
#define DOCUMENTS UPOOL_GROUP_DOCUMENTS
#define ARCHIVES UPOOL_GROUP_ARCHIVES
#define NO_GROUP UPOOL_GROUP_NONE
#define NONE UPOOL_MANNER_NONE
#define OTHER UPOOL_MANNER_OTHER
#define TEXT UPOOL_MANNER_TEXT
#define PAGE UPOOL_MANNER_PAGE
#define DRAWING UPOOL_MANNER_DRAWING
#define STRICT UPOOL_MANNER_STRICT
#define RARE UPOOL_MANNER_RARE
#define FONT UPOOL_MANNER_FONT
#define PROGRAM UPOOL_MANNER_PROGRAM

/* Sources: "measured" is t/unit/types/measured.tsv, what Chromium 156, Firefox
 * ESR 153 and curl 7.88 declare for real files and what libmagic 5.44 and 5.46
 * say of them; "generated" is generated.tsv beside it, the same for files that
 * stand there, and platforms.tsv what is declared on other systems; "IANA" the
 * registry of media types; "smi" shared-mime-info 2.2. */
/* clang-format off */
static const upool_kind table[] = {
    { "application/octet-stream",
      "application/octet-stream binary/octet-stream "
      "application/x-octet-stream application/unknown "
      "application/force-download application/x-download",
      "", NO_GROUP, NONE,
      "no label, or the same in other words",
      "RFC 2046 4.5.1; WHATWG mimesniff 7" },
    /* --- What browsers run ------------------------------------------------ */
    { "text/html",
      "text/html",
      "html htm shtml", NO_GROUP, PAGE,
      "a browser runs it",
      "WHATWG HTML" },
    { "application/xhtml+xml",
      "application/xhtml+xml",
      "xhtml xht", NO_GROUP, PAGE,
      "a browser runs it",
      "WHATWG HTML" },
    { "image/svg+xml",
      "image/svg+xml image/svg application/svg+xml",
      "svg", NO_GROUP, DRAWING,
      "an image with scripts",
      "SVG 2, 15" },
    { "text/javascript",
      "text/javascript application/javascript application/x-javascript "
      "text/ecmascript application/ecmascript text/x-javascript text/jscript",
      "", NO_GROUP, PAGE,
      "names of one language",
      "RFC 9239" },
    { "text/xml",
      "text/xml application/xml text/xsl application/xslt+xml "
      "application/xml-sitemap application/xml-* "
      "application/x-java-jnlp-file application/x-designer "
      "application/x-glade *-flat-xml",
      "", NO_GROUP, PAGE,
      "XML, also under names without +xml; XSLT in it is run",
      "RFC 7303; measured: x.jnlp, sitemap.xml" },
    /* --- Images ----------------------------------------------------------- */
    { "image/jpeg",
      "image/jpeg image/jpg image/pjpeg",
      "jpg jpeg jpe jfif pjpeg", IMAGES, STRICT,
      "older names of browsers",
      "RFC 2046 4.2; smi" },
    { "image/png",
      "image/png image/x-png image/apng image/vnd.mozilla.apng",
      "png apng", IMAGES, STRICT,
      "an animated one is a PNG, too",
      "W3C PNG 3; measured: apng-as.png" },
    { "image/gif",
      "image/gif",
      "gif", IMAGES, STRICT,
      "shown by browsers",
      "IANA" },
    { "image/webp",
      "image/webp",
      "webp", IMAGES, STRICT,
      "shown by browsers",
      "RFC 9649" },
    { "image/heif",
      "image/heif image/heic image/heif-sequence image/heic-sequence "
      "image/hif image/avif image/avif-sequence image/avis",
      "heic heif heics heifs hif avif avifs", IMAGES, STRICT,
      "one container; its brand may be the common one, mif1 or msf1",
      "ISO/IEC 23008-12; AV1 Image File Format 6; measured: photo.heic" },
    { "image/jxl",
      "image/jxl",
      "jxl", IMAGES, STRICT,
      "shown by browsers",
      "ISO/IEC 18181; measured: from-jpeg.jxl" },
    { "image/bmp",
      "image/bmp image/x-ms-bmp image/x-bmp image/x-windows-bmp",
      "bmp dib", IMAGES, STRICT,
      "names of one format",
      "RFC 7903; smi" },
    { "image/tiff",
      "image/tiff image/x-tiff",
      "tif tiff", IMAGES, STRICT,
      "names of one format",
      "RFC 3302" },
    { "image/tiff",
      "image/x-adobe-dng image/dng image/x-dng image/x-nikon-nef "
      "image/x-nikon-nrw image/x-sony-arw image/x-sony-sr2 image/x-sony-srf "
      "image/x-pentax-pef image/x-canon-cr2 image/x-kodak-dcr "
      "image/x-kodak-kdc image/x-epson-erf image/x-samsung-srw "
      "image/x-olympus-orf image/x-panasonic-rw image/x-panasonic-rw2 "
      "image/x-canon-cr3 image/x-fuji-raf image/x-dcraw",
      "dng nef nrw arw sr2 srf pef cr2 cr3 dcr kdc erf srw orf rw2 raf",
      IMAGES, RARE,
      "a camera's raw image, most of them TIFF inside",
      "Adobe DNG 1.7; measured: raw.dng, x.pef, x.rw2" },
    { "image/vnd.microsoft.icon",
      "image/vnd.microsoft.icon image/x-icon image/ico image/icon",
      "ico", IMAGES, STRICT,
      "names of one format",
      "IANA; smi" },
    { "image/jp2",
      "image/jp2 image/jpx image/jpm image/jpeg2000 image/jpeg2000-image "
      "image/x-jpeg2000-image",
      "jp2 jpx jpf", IMAGES, STRICT,
      "one container",
      "RFC 3745" },
    { "image/vnd.adobe.photoshop",
      "image/vnd.adobe.photoshop image/x-photoshop image/psd "
      "application/photoshop application/x-photoshop",
      "psd", IMAGES, STRICT,
      "names of one format",
      "IANA; smi" },
    { "image/x-portable-anymap",
      "image/x-portable-anymap image/x-portable-bitmap "
      "image/x-portable-graymap image/x-portable-greymap "
      "image/x-portable-pixmap image/x-portable-arbitrarymap",
      "", NO_GROUP, RARE,
      "one family of formats, and two spellings of grey",
      "measured: photo.pgm, photo.pnm" },
    { "image/x-pcx",
      "image/x-pcx image/vnd.zbrush.pcx image/pcx",
      "", NO_GROUP, RARE,
      "names of one format",
      "IANA; smi" },
    { "image/fits",
      "image/fits application/fits",
      "", NO_GROUP, RARE,
      "both are registered",
      "RFC 4047; measured: photo.fits" },
    { "image/x-jng",
      "image/x-jng video/x-jng",
      "", NO_GROUP, RARE,
      "libmagic files it with its sibling MNG",
      "measured: photo.jng" },
    { "application/postscript",
      "application/postscript image/x-eps image/eps application/eps",
      "", NO_GROUP, OTHER,
      "encapsulated or not",
      "RFC 2046 4.5.2; measured: gs.eps" },
    { "image/x-xbitmap",
      "image/x-xbitmap image/x-xbm image/x-xpixmap image/x-xpm "
      "image/vnd.dxf image/x-dxf application/dxf",
      "", NO_GROUP, TEXT,
      "C source, and drawings in lines of text",
      "measured: photo.xbm, crlf.dxf" },
    /* --- Audio and video -------------------------------------------------- */
    { "audio/mpeg",
      "audio/mpeg audio/mp3 audio/x-mp3 audio/x-mpeg audio/mpeg3 "
      "audio/x-mpeg-3 audio/mp2 audio/x-mp2 audio/x-mpeg-2",
      "mp3 mp2 mpga", AUDIO, STRICT,
      "layers of one format",
      "RFC 3003; measured: l2.mp2" },
    { "audio/aac",
      "audio/aac audio/x-aac audio/aacp audio/x-hx-aac-adts "
      "audio/x-hx-aac-adif",
      "aac", AUDIO, STRICT,
      "libmagic's own name",
      "measured: adts.aac" },
    { "audio/wav",
      "audio/wav audio/wave audio/x-wav audio/vnd.wave audio/x-pn-wav "
      "audio/bwf",
      "wav", AUDIO, STRICT,
      "names of one format",
      "RFC 2361; smi" },
    { "audio/flac",
      "audio/flac audio/x-flac",
      "flac", AUDIO, STRICT,
      "the older name",
      "RFC 9639" },
    { "audio/aiff",
      "audio/aiff audio/x-aiff audio/x-aifc audio/aifc",
      "aif aiff aifc", AUDIO, STRICT,
      "compressed or not",
      "smi; measured: x.aif" },
    { "audio/midi",
      "audio/midi audio/x-midi audio/mid audio/sp-midi",
      "mid midi", AUDIO, STRICT,
      "names of one format",
      "smi; measured: song.mid" },
    { "audio/ogg",
      "audio/ogg audio/opus audio/vorbis audio/x-vorbis audio/x-vorbis+ogg "
      "audio/x-speex+ogg audio/x-flac+ogg audio/x-opus+ogg audio/x-oggflac "
      "audio/speex audio/x-speex audio/x-ogg application/ogg",
      "ogg oga opus spx", AUDIO, STRICT,
      "one container",
      "RFC 5334; measured: s.spx" },
    { "audio/ogg",
      "video/ogg application/x-ogg video/x-ogg video/x-theora+ogg "
      "application/annodex",
      "ogv ogx", VIDEO, STRICT,
      "one container",
      "RFC 5334; measured: v.ogv" },
    { "video/x-matroska",
      "video/x-matroska video/webm video/matroska video/matroska-3d "
      "video/x-matroska-3d application/x-matroska",
      "webm mkv mk3d", VIDEO, STRICT,
      "one container",
      "RFC 9559; measured: clip.webm" },
    { "video/x-matroska",
      "audio/webm audio/matroska audio/x-matroska",
      "weba mka", AUDIO, STRICT,
      "one container",
      "RFC 9559; measured: sound.mka" },
    { "video/mp4",
      "video/mp4 video/x-m4v video/m4v video/quicktime video/3gpp "
      "video/3gpp2 video/mj2 application/mp4 video/x-quicktime",
      "mp4 m4v mov qt 3gp 3g2 mj2", VIDEO, STRICT,
      "one container, ISO base media; its brand says little",
      "RFC 4337; ISO/IEC 14496-12; measured: brand3gp.mp4" },
    { "video/mp4",
      "audio/mp4 audio/m4a audio/x-m4a audio/x-m4b audio/x-m4r audio/x-m4p "
      "audio/3gpp audio/3gpp2 audio/mp4a-latm audio/aac-mp4",
      "m4a m4b m4r m4p", AUDIO, STRICT,
      "one container, ISO base media",
      "RFC 4337; measured: book.m4b, ring.m4r, voice3gp.m4a" },
    { "video/x-msvideo",
      "video/x-msvideo video/avi video/msvideo video/vnd.avi video/divx "
      "application/x-troff-msvideo",
      "avi", VIDEO, STRICT,
      "names of one format",
      "smi" },
    { "video/mpeg",
      "video/mpeg video/x-mpeg video/mpg video/mpeg2 video/x-mpeg2 video/dvd "
      "video/mpeg-system video/x-mpeg-system",
      "mpg mpeg mpe vob", VIDEO, STRICT,
      "names of one format",
      "RFC 2045; measured: dvd.vob" },
    { "video/mp2t",
      "video/mp2t video/vnd.dlna.mpeg-tts model/vnd.mts video/x-mpegts "
      "video/m2ts video/x-m2ts",
      "m2ts mts", VIDEO, RARE,
      "libmagic 5.44 does not know it, media-types takes .mts for a model",
      "RFC 3555; measured: cam.m2ts, stream.mts" },
    { "video/x-flv",
      "video/x-flv video/flv",
      "flv f4v", VIDEO, STRICT,
      "names of one format",
      "smi" },
    { "video/x-ms-asf",
      "video/x-ms-asf video/x-ms-wmv video/x-ms-wm application/vnd.ms-asf "
      "video/x-ms-asf-plugin",
      "wmv asf", VIDEO, STRICT,
      "one container",
      "measured: x.wmv" },
    { "video/x-ms-asf",
      "audio/x-ms-wma",
      "wma", AUDIO, STRICT,
      "one container",
      "measured: x.wma" },
    { "application/vnd.rn-realmedia",
      "application/vnd.rn-realmedia application/vnd.rn-realmedia-vbr "
      "audio/x-pn-realaudio audio/vnd.rn-realaudio video/vnd.rn-realvideo",
      "", NO_GROUP, RARE,
      "one container",
      "measured: x.rm" },
    { "audio/ac3",
      "audio/ac3 audio/vnd.dolby.dd-raw audio/x-ac3 audio/eac3",
      "ac3 eac3", AUDIO, RARE,
      "libmagic's own name",
      "RFC 4184; types measured" },
    { "audio/amr",
      "audio/amr audio/amr-wb audio/x-amr",
      "amr awb", AUDIO, RARE,
      "a phone's recordings",
      "RFC 4867" },
    { "audio/x-caf",
      "audio/x-caf",
      "caf", AUDIO, RARE,
      "a phone's recordings; libmagic need not know it",
      "measured: voice.caf" },
    { "audio/x-mpegurl",
      "audio/x-mpegurl audio/mpegurl application/x-mpegurl "
      "application/vnd.apple.mpegurl audio/x-scpls audio/scpls "
      "application/x-cue",
      "", NO_GROUP, TEXT,
      "lists of media, in lines of text",
      "RFC 8216 10; measured: p.m3u, p.pls" },
    /* --- Documents -------------------------------------------------------- */
    { "application/pdf",
      "application/pdf application/x-pdf application/acrobat text/pdf",
      "pdf", DOCUMENTS, STRICT,
      "browsers show it, with scripts",
      "RFC 8118" },
    { "application/zip",
      "application/vnd.openxmlformats-officedocument.* "
      "application/vnd.ms-word.document.macroenabled.12 "
      "application/vnd.ms-word.template.macroenabled.12 "
      "application/vnd.ms-excel.sheet.macroenabled.12 "
      "application/vnd.ms-excel.sheet.binary.macroenabled.12 "
      "application/vnd.ms-excel.template.macroenabled.12 "
      "application/vnd.ms-excel.addin.macroenabled.12 "
      "application/vnd.ms-powerpoint.presentation.macroenabled.12 "
      "application/vnd.ms-powerpoint.slideshow.macroenabled.12 "
      "application/vnd.ms-powerpoint.template.macroenabled.12 "
      "application/vnd.ms-powerpoint.addin.macroenabled.12 "
      "application/vnd.ms-powerpoint.slide.macroenabled.12 "
      "application/vnd.ms-visio.drawing.main+xml "
      "application/vnd.ms-visio.drawing",
      "docx docm dotx dotm xlsx xlsm xltx xltm xlsb pptx pptm ppsx ppsm "
      "potx potm vsdx", DOCUMENTS, STRICT,
      "zip archives; libmagic knows which by the order of their members "
      "alone, and 5.46 not that they are any from their first bytes",
      "ECMA-376; measured: docpropsfirst.docx, ctword.docx" },
    { "application/zip",
      "application/vnd.oasis.opendocument.*",
      "odt ods odp odg odf odb odc odm ott ots otp", DOCUMENTS, STRICT,
      "zip archives, as above",
      "OpenDocument 1.3 part 2; measured: mimetype2nd.odt, sheetjs.ods" },
    { "application/zip",
      "application/epub+zip application/oxps application/vnd.ms-xpsdocument "
      "application/vnd.apple.pages application/vnd.apple.numbers "
      "application/vnd.apple.keynote application/x-iwork-pages-sffpages "
      "application/x-iwork-numbers-sffnumbers "
      "application/x-iwork-keynote-sffkey",
      "epub oxps xps pages numbers", DOCUMENTS, STRICT,
      "zip archives, as above",
      "measured: bad.epub, x.pages, x.oxps" },
    { "application/x-ole-storage",
      "application/x-ole-storage application/msword "
      "application/vnd.ms-excel application/vnd.ms-powerpoint "
      "application/vnd.ms-office application/cdfv2 "
      "application/cdfv2-unknown application/encrypted "
      "application/vnd.visio application/vnd.ms-project",
      "doc dot xls xlt ppt pot pps", DOCUMENTS, OTHER,
      "old Office: compound files, but as often HTML, CSV or RTF by that "
      "name",
      "MS-CFB; measured: sheetjs.xls" },
    { "text/rtf",
      "text/rtf application/rtf application/x-rtf text/richtext",
      "rtf", DOCUMENTS, TEXT,
      "names of one format",
      "IANA; measured: r.rtf" },
    { "text/plain",
      "text/plain text/csv text/tab-separated-values text/markdown",
      "txt text csv tsv md", DOCUMENTS, TEXT,
      "text",
      "RFC 2046 4.1; RFC 4180; RFC 7763" },
    /* --- Archives --------------------------------------------------------- */
    { "application/zip",
      "application/zip application/x-zip application/x-zip-compressed "
      "multipart/x-zip application/zip-compressed",
      "zip", ARCHIVES, STRICT,
      "older names, Windows' among them",
      "IANA; smi" },
    { "application/zip",
      "application/java-archive application/x-java-archive "
      "application/x-jar application/vnd.android.package-archive "
      "application/x-ios-app application/x-xpinstall "
      "application/vnd.geogebra.file application/vnd.recordare.musicxml "
      "application/vnd.google-earth.kmz application/x-krita "
      "application/vnd.ms-3mfdocument model/3mf "
      "application/vnd.ms-package.3dmanufacturing-3dmodel+xml "
      "image/openraster application/vnd.comicbook+zip application/x-cbz "
      "*+zip",
      "", NO_GROUP, STRICT,
      "zip archives of other trades",
      "measured: mf.jar, c.cbz, m.3mf, m.usdz, x.kra, x.mxl, x.xpi" },
    { "application/gzip",
      "application/gzip application/x-gzip application/gzip-compressed "
      "application/x-gzip-compressed application/x-compressed-tar "
      "application/x-tgz application/tar+gzip image/svg+xml-compressed",
      "gz tgz", ARCHIVES, STRICT,
      "with a tar or without",
      "RFC 6713; smi" },
    { "application/x-bzip2",
      "application/x-bzip2 application/x-bzip application/bzip2 "
      "application/x-bzip-compressed-tar application/x-bzip2-compressed-tar",
      "bz2 tbz tbz2", ARCHIVES, STRICT,
      "with a tar or without",
      "smi; measured: x.tar.bz2" },
    { "application/x-xz",
      "application/x-xz application/x-xz-compressed-tar application/xz",
      "xz txz", ARCHIVES, STRICT,
      "with a tar or without",
      "smi" },
    { "application/zstd",
      "application/zstd application/x-zstd application/x-zstd-compressed-tar",
      "zst tzst", ARCHIVES, STRICT,
      "with a tar or without",
      "RFC 8878; smi" },
    { "application/x-7z-compressed",
      "application/x-7z-compressed",
      "7z", ARCHIVES, STRICT,
      "an archive",
      "smi" },
    { "application/vnd.rar",
      "application/vnd.rar application/x-rar application/x-rar-compressed "
      "application/vnd.comicbook-rar application/x-cbr",
      "rar", ARCHIVES, STRICT,
      "libmagic 5.44 and 5.46 differ",
      "measured: x.rar" },
    { "application/x-tar",
      "application/x-tar application/tar application/x-gtar "
      "application/x-ustar",
      "tar", ARCHIVES, STRICT,
      "names of one format",
      "smi" },
    /* --- Programs --------------------------------------------------------- */
    { "application/x-executable",
      "application/x-executable application/x-dosexec "
      "application/x-msdos-program application/x-ms-dos-executable "
      "application/x-msdownload "
      "application/vnd.microsoft.portable-executable application/exe "
      "application/x-exe application/x-winexe application/x-pie-executable "
      "application/x-sharedlib application/x-object application/x-coredump "
      "application/x-mach-binary application/x-elf application/vnd.appimage "
      "application/x-iso9660-appimage application/x-msi",
      "", NO_GROUP, PROGRAM,
      "machine code, whatever it is called",
      "IANA; smi; measured: exe.exe, lib.so, sfx.exe" },
    { "application/java-vm",
      "application/java-vm application/x-java application/x-java-applet "
      "application/x-java-vm application/java",
      "", NO_GROUP, PROGRAM,
      "names of one format",
      "measured: x.class" },
    /* --- Text under application ------------------------------------------- */
    { "application/json",
      "application/json application/ld+json application/geo+json "
      "application/manifest+json application/x-ndjson application/jsonlines "
      "application/x-ipynb+json application/toml application/yaml "
      "application/x-yaml application/sql application/x-sql "
      "application/x-subrip application/x-ass "
      "application/x-wine-extension-ini application/x-setupscript "
      "application/x-pem-file application/pem-certificate-chain "
      "application/x-sh application/x-shellscript application/x-perl "
      "application/x-ruby application/x-php application/x-httpd-php "
      "application/x-python application/x-csh application/x-tcl "
      "application/x-tex application/x-latex application/mbox "
      "application/x-bat application/x-config application/jwk+json *+json",
      "", NO_GROUP, TEXT,
      "text that is not under text/",
      "measured: small.json, crlf.srt, dump.sql, cert.pem" },
    { NULL,
      "application/x-sylk application/x-dif application/mathematica "
      "application/vnd.wolfram.mathematica application/vnd.cups-ppd "
      "application/x-mswinurl application/vnd.flatpak.ref "
      "application/vnd.font-fontforge-sfd application/vnd.mif "
      "application/x-mif application/x-gettext-translation "
      "application/mac-binhex40 application/mac-binhex",
      "", NO_GROUP, TEXT,
      "lines of text that libmagic knows by name, and clients by .txt",
      "smi; libmagic 5.46; generated: lo.slk, ff.sfd" },
    { NULL,
      "application/x-font-afm application/x-font-type1 "
      "application/x-font-bdf application/x-font-pcf "
      "application/x-font-linux-psf application/x-font-speedo "
      "application/x-font-dos application/x-font-libgrx "
      "application/x-font-sunos-news application/x-font-tex "
      "application/x-font-vfont application/x-font-framemaker",
      "", NO_GROUP, OTHER,
      "fonts of printers and consoles, some of them text; no browser takes one",
      "smi; generated: ff.afm, ff.pfa" },
    /* --- What no other row names ------------------------------------------ */
    { NULL,
      "text/* message/* multipart/*",
      "", NO_GROUP, TEXT,
      "text of any kind",
      "RFC 2046 4.1, 5" },
    { "text/xml",
      "*+xml",
      "", NO_GROUP, PAGE,
      "a browser reads it as XML",
      "RFC 7303 4.2" },
    { NULL,
      "image/* audio/* video/*",
      "", NO_GROUP, RARE,
      "no browser shows it, libmagic need not know it",
      "measured: photo.dds, photo.sgi, x.emf, x.tta, x.wv" },
    { NULL,
      "font/* application/font-* application/x-font-* "
      "application/vnd.ms-fontobject application/vnd.ms-opentype",
      "", NO_GROUP, FONT,
      "libmagic knows some",
      "RFC 8081; measured: font.ttf" },
    { NULL,
      "*",
      "", NO_GROUP, OTHER,
      "no browser acts upon it",
      "WHATWG mimesniff 7" },
};

static const upool_pair pairs[] = {
    { "image/svg+xml", "application/gzip", "svgz",
      "SVG may be compressed", "SVG 2, 1.2; measured: pic.svgz" },
    { "image/svg+xml", "text/xml", NULL,
      "libmagic 5.44 does not see it behind a comment, a mark or in UTF-16",
      "measured: bom.svg, utf16.svg" },
    { "image/svg+xml", "text/plain", NULL,
      "nor without a declaration", "measured: comment.svg, uppercase.svg" },
    { "application/vnd.openxmlformats-officedocument.*",
      "application/x-ole-storage", NULL,
      "Office wraps what it encrypts in a compound file", "MS-OFFCRYPTO 1.3" },
    { "application/zip", "application/x-ole-storage",
      "docx docm dotx dotm xlsx xlsm xltx xltm xlsb pptx pptm ppsx ppsm potx "
      "potm vsdx",
      "the same, with macros or by a client that knows no type of it",
      "MS-OFFCRYPTO 1.3; generated: enc.docx, encstd.xlsx" },
    { "application/vnd.oasis.opendocument.*", "font/*", "otf otc",
      "shared-mime-info takes OpenType for a template of formulas or charts",
      "smi; generated: own.otc" },
    { "application/vnd.oasis.opendocument.*", "application/vnd.ms-opentype",
      "otf otc",
      "shared-mime-info takes OpenType for a template of formulas or charts",
      "smi; generated: own.otf" },
    { "text/*", "application/pgp-*", NULL,
      "armour is text, whatever is in it",
      "RFC 9580 6.2; generated: s.asc, s.sig.asc" },
    { "video/mpeg", "audio/mpeg", "mp2",
      "WebKit takes sound for a film", "platforms.tsv; measured: l2.mp2" },
    { "audio/aac", "video/mp4", "m4r",
      "WebKit takes a ringtone for what is inside",
      "platforms.tsv; measured: ring.m4r" },
    { "video/dv", "application/x-dif", "dif",
      "media-types takes a spreadsheet for a film",
      "media-types 10.0.0; generated: lo.dif" },
    { "video/dv", "text/*", "dif",
      "media-types takes a spreadsheet for a film",
      "media-types 10.0.0; generated: lo.dif" },
    { "audio/aac", "text/*", "ass",
      "media-types takes subtitles for sound", "measured: s.ass" },
    { "audio/csound", "*", "orc",
      "media-types takes a table of Apache ORC for sound", "measured: x.orc" },
    { "audio/csound", NULL, "orc",
      "media-types takes a table of Apache ORC for sound", "measured: x.orc" },
    { "image/x-gimp-gbr", "text/plain", "gbr",
      "shared-mime-info takes a circuit board (Gerber) for a brush",
      "measured: g.gbr" },
    { "video/mp2t", "application/javascript", "ts mts",
      "tables of types know no TypeScript", "smi; media-types 10.0.0" },
    { "video/mp2t", "text/*", "ts mts",
      "tables of types know no TypeScript", "smi; media-types 10.0.0" },
    { "image/vnd.microsoft.icon", "image/png", NULL,
      "an icon for the web is often a PNG", "WHATWG HTML 4.6.7.8" },
    { "text/vnd.a", "application/x-archive", "a",
      "media-types takes a library of a compiler for text",
      "media-types 10.0.0" },
    { "model/obj", "application/x-object", "obj",
      "a compiler's object, not a model", "media-types 10.0.0" },
    { "application/xml-dtd", "application/gzip", "mod",
      "a module of Fortran, not a DTD", "media-types 10.0.0" },
    { "text/x-vhdl", "application/x-virtualbox-vhd", "vhd",
      "shared-mime-info takes a disk for source code", "measured: x.vhd" },
};
/* clang-format on */

#define ROWS (sizeof(table) / sizeof(table[0]))
#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

/* The next word of *at, and its length; 0: there is none. */
static size_t next_word(const char **at, const char **word)
{
    *word = *at + strspn(*at, " ");
    *at = *word + strcspn(*word, " ");
    return (size_t)(*at - *word);
}

static int is_word(const char *word, size_t len, const char *text)
{
    return !strncmp(word, text, len) && text[len] == '\0';
}

/* The star is at the beginning or at the end; alone it fits all. */
static int fits(const char *word, size_t len, const char *text)
{
    size_t text_len = strlen(text);

    if (word[len - 1] == '*') {
        return !strncmp(word, text, len - 1);
    }
    if (*word == '*') {
        return text_len >= len - 1
               && !strncmp(word + 1, text + text_len - (len - 1), len - 1);
    }
    return is_word(word, len, text);
}

static int is_listed(const char *words, const char *text, int stars)
{
    const char *word;
    size_t len;

    while ((len = next_word(&words, &word)) > 0) {
        if (stars ? fits(word, len, text) : is_word(word, len, text)) {
            return 1;
        }
    }
    return 0;
}

static const upool_kind *find(const char *type, int stars)
{
    size_t i;

    for (i = 0; i < ROWS; i++) {
        if (is_listed(table[i].types, type, stars)) {
            return &table[i];
        }
    }
    return NULL;
}

const upool_kind *upool_kinds_of_type(const char *type)
{
    const upool_kind *kind = type ? find(type, 0) : &table[0];

    kind = kind ? kind : find(type, 1);
    return kind ? kind : &table[ROWS - 1];
}

const char *upool_kinds_family(const upool_kind *kind, const char *type)
{
    return kind->family ? kind->family : type;
}

static int lower_equal(const char *word, size_t len, const char *text)
{
    size_t i;

    for (i = 0; i < len; i++) {
        char c = text[i];

        if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != word[i]) {
            return 0;
        }
    }
    return text[len] == '\0';
}

static int has_suffix(const char *words, const char *suffix)
{
    const char *word;
    size_t len;

    while ((len = next_word(&words, &word)) > 0) {
        if (lower_equal(word, len, suffix)) {
            return 1;
        }
    }
    return 0;
}

static const char *suffix_of(const char *name)
{
    const char *dot = name ? strrchr(name, '.') : NULL;

    return dot ? dot + 1 : "";
}

const upool_kind *upool_kinds_of_name(const char *name)
{
    const char *suffix = suffix_of(name);
    size_t i;

    for (i = 0; *suffix && i < ROWS; i++) {
        if (has_suffix(table[i].suffixes, suffix)) {
            return &table[i];
        }
    }
    return NULL;
}

upool_group upool_kinds_group(const char *name)
{
    static const char *const names[] = { "images", "audio", "video",
                                         "documents", "archives" };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(names[i], name)) {
            return (upool_group)(i + UPOOL_GROUP_IMAGES);
        }
    }
    return UPOOL_GROUP_NONE;
}

void upool_kinds_each(upool_group group, int are_types,
                      upool_kinds_visit *visit, void *user)
{
    size_t i;

    for (i = 0; i < ROWS; i++) {
        const char *words = are_types ? table[i].types : table[i].suffixes;
        const char *word;
        size_t len;

        if (table[i].group != group) {
            continue;
        }
        while ((len = next_word(&words, &word)) > 0) {
            visit(user, word, len);
        }
    }
}

const upool_pair *upool_kinds_pair(const char *declared, const char *found,
                                   const char *name)
{
    const char *suffix = suffix_of(name);
    size_t i;

    for (i = 0; i < PAIRS; i++) {
        const upool_pair *pair = &pairs[i];

        if (fits(pair->declared, strlen(pair->declared), declared)
            && (pair->found
                    ? found && fits(pair->found, strlen(pair->found), found)
                    : !found)
            && (!pair->suffix || has_suffix(pair->suffix, suffix))) {
            return pair;
        }
    }
    return NULL;
}
