#!/usr/bin/env python3
"""Makes the fixture files of the tests of src/extract that can't be written by hand. Their bytes are the same each time."""
import pathlib
import zipfile

HERE = pathlib.Path(__file__).parent / "files"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(name, document, **more):
    with zipfile.ZipFile(HERE / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in {"[Content_Types].xml": "<Types/>", "word/document.xml": document, **more}.items():
            archive.writestr(zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)


def paragraph(text, style=""):
    look = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{look}<w:r><w:t>{text}</w:t></w:r></w:p>"


def document(body):
    return f'<?xml version="1.0" encoding="UTF-8"?><w:document {W}><w:body>{body}</w:body></w:document>'


def pdf(name, text, trailer=""):
    lines = "".join(f"({line}) Tj T* " for line in text.split("\n"))
    stream = f"BT /F1 12 Tf 14 TL 72 720 Td {lines}ET"
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
               f"<</Length {len(stream)}>>stream\n{stream}\nendstream\n",
               "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj{body} endobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    out += "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    out += f"trailer<</Size {len(objects) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF\n"
    (HERE / name).write_bytes(out.encode("latin-1"))


def main():
    HERE.mkdir(exist_ok=True)
    table = ("<w:tbl><w:tr><w:tc>" + paragraph("Oil change") + "</w:tc><w:tc>" + paragraph("40 dollars") +
             "</w:tc></w:tr></w:tbl>")
    docx("prices.docx", document(paragraph("Price list", "Title") +
                                 "<w:p><w:r><w:t>Brakes cost </w:t></w:r><w:r><w:t>90 dollars.</w:t></w:r></w:p>" +
                                 "<w:p><w:del><w:r><w:delText>Old price.</w:delText></w:r></w:del>"
                                 "<w:r><w:t>Tires &amp; wheels</w:t><w:br/><w:t>are extra.</w:t></w:r></w:p>" + table))
    docx("bomb.docx", document(paragraph("A" * (60 << 20))))
    docx("entities.docx", '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
         f"<w:document {W}><w:body>{paragraph('&b;')}</w:body></w:document>")
    docx("outside.docx", '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
         f"<w:document {W}><w:body>{paragraph('&a;')}</w:body></w:document>")
    docx("deep.docx", document("<w:p>" * 5000 + "</w:p>" * 5000))
    docx("torn.docx", document(paragraph("whole"))[:-30])
    with zipfile.ZipFile(HERE / "other.docx", "w") as archive:
        archive.writestr(zipfile.ZipInfo("hello.txt", (2024, 1, 1, 0, 0, 0)), "no document")
    pdf("hours.pdf", "Opening hours\nWe open at nine and close at five.")
    pdf("empty.pdf", "")
    pdf("locked.pdf", "Secret", "/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<" + "41" * 32 + ">/U<" + "42" * 32 +
        ">>>/ID[<00><00>]")


main()
