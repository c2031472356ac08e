// Generated: what Node v20.20.2 makes of UTF-8 in pieces. To record it again:
//   node tests/04_framing/record_utf8.js > tests/04_framing/utf8_golden.h
// clang-format off
#pragma once

// The bytes, a bar for each cut, and the code points.
struct Utf8Row {
  const char* bytes;
  const char* text;
};

// Valid and complete; the text of each piece and, at last, of the end.
inline constexpr Utf8Row kValid[] = {
    {"61 62 63", "61 62 63 | -"},
    {"61 | 62", "61 | 62 | -"},
    {"c3 | a9", "- | e9 | -"},
    {"61 c3 | a9 62", "61 | e9 62 | -"},
    {"e2 82 ac", "20ac | -"},
    {"e2 | 82 ac", "- | 20ac | -"},
    {"e2 82 | ac", "- | 20ac | -"},
    {"e2 | 82 | ac", "- | - | 20ac | -"},
    {"e2 | 82 | ac 61", "- | - | 20ac 61 | -"},
    {"61 e2 82 | ac e2 | 82 ac", "61 | 20ac | 20ac | -"},
    {"f0 9f 98 80", "1f600 | -"},
    {"f0 | 9f 98 80", "- | 1f600 | -"},
    {"f0 9f | 98 80", "- | 1f600 | -"},
    {"f0 9f 98 | 80", "- | 1f600 | -"},
    {"f0 | 9f | 98 | 80", "- | - | - | 1f600 | -"},
    {"61 f0 9f | 98 80 62 c3 | a9", "61 | 1f600 62 | e9 | -"},
    {"c2 | 80", "- | 80 | -"},
    {"df | bf", "- | 7ff | -"},
    {"e0 | a0 80", "- | 800 | -"},
    {"ed 9f | bf", "- | d7ff | -"},
    {"ee | 80 80", "- | e000 | -"},
    {"ef bf | bd", "- | fffd | -"},
    {"f0 90 | 80 80", "- | 10000 | -"},
    {"f4 8f bf | bf", "- | 10ffff | -"},
    {"00 | 00", "00 | 00 | -"},
    {"7f | c2 80", "7f | 80 | -"},
};

// The stream ends inside a character; the text as above.
inline constexpr Utf8Row kCutOff[] = {
    {"c3", "- | fffd"},
    {"e2", "- | fffd"},
    {"e2 82", "- | fffd"},
    {"e2 | 82", "- | - | fffd"},
    {"f0", "- | fffd"},
    {"f0 9f", "- | fffd"},
    {"f0 9f 98", "- | fffd"},
    {"f0 | 9f | 98", "- | - | - | fffd"},
    {"61 e2 82", "61 | fffd"},
    {"e2 82 ac e2", "20ac | fffd"},
    {"f4 8f bf", "- | fffd"},
};

// Bytes that are no UTF-8 (but for the byte order marks at the end); the text
// of all, wherever they are cut.
inline constexpr Utf8Row kBroken[] = {
    {"80", "fffd"},
    {"bf", "fffd"},
    {"80 80", "fffd fffd"},
    {"ff", "fffd"},
    {"fe", "fffd"},
    {"f8 88 80 80 80", "fffd fffd fffd fffd fffd"},
    {"fc 80 80 80 80 80", "fffd fffd fffd fffd fffd fffd"},
    {"61 80 62", "61 fffd 62"},
    {"f5 80 80 80", "fffd fffd fffd fffd"},
    {"f7 bf bf bf", "fffd fffd fffd fffd"},
    {"c0 80", "fffd fffd"},
    {"c1 bf", "fffd fffd"},
    {"e0 80 80", "fffd fffd fffd"},
    {"e0 9f bf", "fffd fffd fffd"},
    {"f0 80 80 80", "fffd fffd fffd fffd"},
    {"f0 8f bf bf", "fffd fffd fffd fffd"},
    {"ed a0 80", "fffd fffd fffd"},
    {"ed bf bf", "fffd fffd fffd"},
    {"ed a0 bd ed b8 80", "fffd fffd fffd fffd fffd fffd"},
    {"f4 90 80 80", "fffd fffd fffd fffd"},
    {"f4 bf bf bf", "fffd fffd fffd fffd"},
    {"c3 61", "fffd 61"},
    {"e2 61", "fffd 61"},
    {"e2 82 61", "fffd 61"},
    {"f0 61", "fffd 61"},
    {"f0 9f 61", "fffd 61"},
    {"f0 9f 98 61", "fffd 61"},
    {"c3 c3 a9", "fffd e9"},
    {"e2 82 c3 a9", "fffd e9"},
    {"e2 82 e2 82 ac", "fffd 20ac"},
    {"f0 9f 98 f0 9f 98 80", "fffd 1f600"},
    {"f0 9f e2 82 ac", "fffd 20ac"},
    {"e2 28 a1", "fffd 28 fffd"},
    {"e2 82 28", "fffd 28"},
    {"f0 28 8c bc", "fffd 28 fffd fffd"},
    {"f0 90 28 bc", "fffd 28 fffd"},
    {"c3 28", "fffd 28"},
    {"a0 a1", "fffd fffd"},
    {"e1 a0 c0 61", "fffd fffd 61"},
    {"e2 82 ff 61", "fffd fffd 61"},
    {"c2 c2 c2 61", "fffd fffd fffd 61"},
    {"c3 a9 a9", "e9 fffd"},
    {"e2 82 ac ac 61", "20ac fffd 61"},
    {"f0 9f 98 80 80 e2 82 ac", "1f600 fffd 20ac"},
    {"ed a0 61", "fffd fffd 61"},
    {"e0 80 61", "fffd fffd 61"},
    {"f4 90 61", "fffd fffd 61"},
    {"f0 80 61", "fffd fffd 61"},
    {"c0 61", "fffd 61"},
    {"f5 61", "fffd 61"},
    {"ff e2 82 ac", "fffd 20ac"},
    {"ef bb bf 61", "feff 61"},
    {"61 ef bb bf ef bb bf", "61 feff feff"},
};
