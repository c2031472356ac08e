"""Compiler and linker messages, as g++ and clang++ wrote them, explained."""

import sys
import unittest

sys.path.insert(0, "tools")
from course import compiler  # noqa: E402

# (what was said, a part of the explanation)
SAID = [
    ("error: '::recv' has not been declared", "#include <sys/socket.h>"),
    ("error: ‘close’ was not declared in this scope; did you mean ‘pclose’?",
     "#include <unistd.h>"),
    ("error: 'string_view' in namespace 'std' does not name a type",
     "#include <string_view>"),
    ("error: 'exchange' is not a member of 'std'", "#include <utility>"),
    ("error: use of undeclared identifier 'inet_ntop'", "#include <arpa/inet.h>"),
    ("error: no member named 'send' in the global namespace", "#include <sys/socket.h>"),
    ("error: 'nonsense' was not declared in this scope", "Check its spelling"),
    ("error: aggregate 'sockaddr_un address' has incomplete type and cannot be "
     "defined", "#include <sys/un.h>"),
    ("error: variable has incomplete type 'struct sockaddr_in6'",
     "#include <netinet/in.h>"),
    ("error: field 'x' has incomplete type 'addrinfo'", "#include <netdb.h>"),
    ("error: no matching function for call to 'send_all(int&, int)'",
     "not for these arguments"),
    ("error: expected ';' before 'return'", "semicolon"),
    ("error: expected ',' or ';' before '}' token", "semicolon"),
    ("error: expected ';' after expression", "semicolon"),
    ("error: expected '}' at end of input", "braces"),
    ("error: extraneous closing brace ('}')", "braces"),
    ("error: invalid conversion from 'const void*' to 'const char*' [-fpermissive]",
     "static_cast<const char*>"),
    ("error: cannot initialize a variable of type 'const char *' with an lvalue "
     "of type 'const void *'", "static_cast<const char*>"),
    ("error: cannot convert 'sockaddr_in*' to 'const sockaddr*'",
     "reinterpret_cast<sockaddr*>"),
    ("error: cannot initialize a parameter of type 'const struct sockaddr *' with an "
     "rvalue of type 'sockaddr_in *'", "reinterpret_cast<sockaddr*>"),
    ("error: invalid conversion from 'const char*' to 'char' [-fpermissive]",
     "The types on the two sides"),
    ("error: invalid conversion from 'const char*' to 'char*' [-fpermissive]", "const"),
    ("error: narrowing conversion of 'n' from 'int' to 'unsigned char' "
     "[-Wnarrowing]", "Braces {} refuse"),
    ("error: no return statement in function returning non-void", "without a return"),
    ("error: non-void function does not return a value [-Werror,-Wreturn-type]",
     "without a return"),
    ("error: no declaration matches 'void net::Fd::close()'", "differs from the header"),
    ("error: use of deleted function 'Fd::Fd(const Fd&)'", "std::move"),
    ("error: 'int Fd::fd_' is private within this context", "public functions"),
    ("error: 'class Fd' has no member named 'gte'", "letter by letter"),
    ("error: no member named 'gte' in 'net::Fd'", "letter by letter"),
    ("error: too few arguments to function 'ssize_t recv(int, void*, size_t, int)'",
     "number of arguments"),
    ("error: redefinition of 'int n'", "defined twice"),
    ("fatal error: net/fd.h: No such file or directory", "spelling and path"),
]

GPP = """\
In file included from chapters/02_client/client.cc:3:
/usr/include/c++/12/string: In instantiation of 'struct X':
chapters/02_client/client.cc:17:9:   required from here
/usr/include/c++/12/string:99:1: error: no matching function for call to 'f(int)'
chapters/02_client/client.cc:21:3: warning: unused variable 'x'
chapters/02_client/client.cc:22:3: error: expected ';' before 'x'
chapters/02_client/client.cc:23:3: error: expected ';' before 'y'
"""
GOLD = """\
tests/02/client_test.cc:8: error: undefined reference to 'net::send_all(int, \
std::basic_string_view<char, std::char_traits<char> >)'
collect2: error: ld returned 1 exit status
"""
BFD = """\
/usr/bin/ld: bazel-out/k8-fastbuild/bin/chapters/02_client/_objs/client.o: in function `main':
client.cc:(.text+0x5): undefined reference to `net::send_all(int)'
/usr/bin/ld: client.cc:(.text+0x9): undefined reference to `net::receive(int)'
collect2: error: ld returned 1 exit status
"""


class Explanations(unittest.TestCase):
    def test_each_message_has_its_sentence(self):
        for said, expected in SAID:
            found = compiler.first_error(f"chapters/02_client/a.cc:3:7: {said}")
            self.assertIn(expected, found.meaning, said)

    def test_an_unknown_message_has_none(self):
        self.assertEqual(compiler.explain("the moon is full"), "")

    def test_no_error_is_none(self):
        self.assertIsNone(compiler.first_error("INFO: all went well\n"))


class Places(unittest.TestCase):
    def test_an_error_in_a_library_is_placed_where_we_use_it(self):
        found = compiler.first_error(GPP)
        self.assertEqual(found.where(), "chapters/02_client/client.cc:17")
        self.assertEqual(found.more, 2)

    def test_a_path_may_begin_with_a_dot(self):
        found = compiler.first_error("./tests/02_client/a.h:7:1: error: 'sort' is not "
                                     "a member of 'std'")
        self.assertEqual(found.where(), "tests/02_client/a.h:7")
        self.assertIn("<algorithm>", found.meaning)

    def test_warnings_are_found_in_the_chapters_files(self):
        class Chapter:
            name = "02_client"
        self.assertEqual(compiler.warnings(GPP, Chapter),
                         [("chapters/02_client/client.cc:21", "unused variable 'x'")])

    def test_the_linkers_name_the_function(self):
        for said in (GOLD, BFD):
            found = compiler.first_error(said)
            self.assertIn("net::send_all", found.message)
            self.assertIn("defines", found.meaning)
        self.assertEqual(compiler.first_error(BFD).more, 1)


if __name__ == "__main__":
    unittest.main()
