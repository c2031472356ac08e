// Records what Node's StringDecoder makes of UTF-8, cut in pieces:
//
//   node tests/04_framing/record_utf8.js > tests/04_framing/utf8_golden.h
//
// A row is the bytes in hexadecimal, a bar for each cut, and the code points
// that write() gave for each piece and, at last, end(); "-" is an empty text.
// Broken bytes are cut everywhere by the test: their row has the text alone.
'use strict';
const { StringDecoder } = require('string_decoder');

const valid = [
  '61 62 63', '61 | 62', 'c3 | a9', '61 c3 | a9 62',
  'e2 82 ac', 'e2 | 82 ac', 'e2 82 | ac', 'e2 | 82 | ac', 'e2 | 82 | ac 61',
  '61 e2 82 | ac e2 | 82 ac', 'f0 9f 98 80', 'f0 | 9f 98 80', 'f0 9f | 98 80',
  'f0 9f 98 | 80', 'f0 | 9f | 98 | 80', '61 f0 9f | 98 80 62 c3 | a9',
  'c2 | 80', 'df | bf', 'e0 | a0 80', 'ed 9f | bf', 'ee | 80 80',
  'ef bf | bd', 'f0 90 | 80 80', 'f4 8f bf | bf', '00 | 00', '7f | c2 80',
];
const cut_off = [
  'c3', 'e2', 'e2 82', 'e2 | 82', 'f0', 'f0 9f', 'f0 9f 98', 'f0 | 9f | 98',
  '61 e2 82', 'e2 82 ac e2', 'f4 8f bf',
];
const broken = [
  // Bytes that begin no character.
  '80', 'bf', '80 80', 'ff', 'fe', 'f8 88 80 80 80', 'fc 80 80 80 80 80',
  '61 80 62', 'f5 80 80 80', 'f7 bf bf bf',
  // A longer form than needed, surrogates, more than U+10FFFF.
  'c0 80', 'c1 bf', 'e0 80 80', 'e0 9f bf', 'f0 80 80 80', 'f0 8f bf bf',
  'ed a0 80', 'ed bf bf', 'ed a0 bd ed b8 80', 'f4 90 80 80', 'f4 bf bf bf',
  // Characters that break off, and what follows them.
  'c3 61', 'e2 61', 'e2 82 61', 'f0 61', 'f0 9f 61', 'f0 9f 98 61',
  'c3 c3 a9', 'e2 82 c3 a9', 'e2 82 e2 82 ac', 'f0 9f 98 f0 9f 98 80',
  'f0 9f e2 82 ac', 'e2 28 a1', 'e2 82 28', 'f0 28 8c bc', 'f0 90 28 bc',
  'c3 28', 'a0 a1', 'e1 a0 c0 61', 'e2 82 ff 61', 'c2 c2 c2 61',
  // One byte too many, all is well again after it.
  'c3 a9 a9', 'e2 82 ac ac 61', 'f0 9f 98 80 80 e2 82 ac',
  // Broken, and then well again.
  'ed a0 61', 'e0 80 61', 'f4 90 61', 'f0 80 61', 'c0 61', 'f5 61', 'ff e2 82 ac',
  // Not broken: byte order marks, which stay.
  'ef bb bf 61', '61 ef bb bf ef bb bf',
];

const bytes_of = (hex) => Buffer.from(hex.replace(/ /g, ''), 'hex');
const points = (text) => [...text]
  .map((c) => c.codePointAt(0).toString(16).padStart(2, '0')).join(' ');
const in_pieces = (row) => {
  const decoder = new StringDecoder('utf8');
  const texts = row.split('|').map((piece) => decoder.write(bytes_of(piece)));
  return [...texts, decoder.end()].map((text) => points(text) || '-').join(' | ');
};
// Every cut gives the same text, if not at the same moment; nothing is kept.
const whole = (row) => {
  const bytes = bytes_of(row), text = bytes.toString();
  for (let cut = 0; cut <= bytes.length; cut++) {
    const decoder = new StringDecoder('utf8');
    const got = decoder.write(bytes.subarray(0, cut)) + decoder.write(bytes.subarray(cut));
    if (got !== text || decoder.end() !== '') throw new Error(`${row}, cut at ${cut}`);
  }
  return points(text);
};
const table = (name, rows, text) => `inline constexpr Utf8Row ${name}[] = {\n` +
  rows.map((row) => `    {"${row}", "${text(row)}"},\n`).join('') + '};\n';

process.stdout.write(`// Generated: what Node ${process.version} makes of UTF-8 in pieces. To record it again:
//   node tests/04_framing/record_utf8.js > tests/04_framing/utf8_golden.h
// clang-format off
#pragma once

// The bytes, a bar for each cut, and the code points.
struct Utf8Row {
  const char* bytes;
  const char* text;
};

// Valid and complete; the text of each piece and, at last, of the end.
${table('kValid', valid, in_pieces)}
// The stream ends inside a character; the text as above.
${table('kCutOff', cut_off, in_pieces)}
// Bytes that are no UTF-8 (but for the byte order marks at the end); the text
// of all, wherever they are cut.
${table('kBroken', broken, whole)}`);
