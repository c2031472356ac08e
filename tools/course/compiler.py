"""What a compiler or linker says, made readable: one error, explained."""

import re
from dataclasses import dataclass

from course import tree

HEADERS = {
    "sys/socket.h": """socket bind listen accept accept4 connect send recv sendto
        recvfrom sendmsg recvmsg shutdown getsockname getpeername setsockopt
        getsockopt socketpair sockaddr sockaddr_storage socklen_t msghdr cmsghdr
        ucred AF_INET AF_INET6 AF_UNIX SOCK_STREAM SOCK_CLOEXEC MSG_NOSIGNAL
        SOL_SOCKET SO_REUSEADDR SO_RCVTIMEO SO_SNDTIMEO SO_ERROR SHUT_WR SHUT_RD
        SCM_RIGHTS CMSG_FIRSTHDR CMSG_DATA MSG_CMSG_CLOEXEC SO_PEERCRED""",
    "netinet/in.h": """sockaddr_in sockaddr_in6 in_addr in6_addr in_port_t
        INADDR_ANY INADDR_LOOPBACK in6addr_any in6addr_loopback IPPROTO_TCP
        IPPROTO_IPV6 IPV6_V6ONLY INET_ADDRSTRLEN INET6_ADDRSTRLEN""",
    "netinet/tcp.h": "TCP_NODELAY TCP_KEEPIDLE TCP_USER_TIMEOUT",
    "arpa/inet.h": "inet_ntop inet_pton htons htonl ntohs ntohl",
    "netdb.h": """getaddrinfo freeaddrinfo gai_strerror getnameinfo getservbyname
        addrinfo EAI_NONAME AI_PASSIVE AI_NUMERICHOST AI_ADDRCONFIG""",
    "net/if.h": "if_nametoindex if_indextoname IF_NAMESIZE",
    "sys/un.h": "sockaddr_un",
    "sys/stat.h": "stat lstat fstat chmod umask S_ISSOCK",
    "sys/time.h": "timeval",
    "unistd.h": "close read write unlink dup dup2 fork pipe pipe2 getpid",
    "fcntl.h": "fcntl open O_NONBLOCK O_CLOEXEC F_GETFL F_SETFL FD_CLOEXEC",
    "poll.h": "poll pollfd POLLIN POLLOUT POLLHUP POLLERR",
    "csignal": "signal sigaction SIGPIPE SIG_IGN",
    "cerrno": """errno EINTR EAGAIN EWOULDBLOCK EINPROGRESS ECONNREFUSED
        ECONNRESET ECONNABORTED EPIPE EMFILE ENFILE ETIMEDOUT EINVAL""",
    "cstring": "memcpy memset memcmp memmove strerror strlen",
    "cstdint": "uint8_t uint16_t uint32_t uint64_t int32_t int64_t",
    "cstddef": "offsetof size_t ptrdiff_t byte",
    "string": "string to_string stoi getline",
    "string_view": "string_view",
    "vector": "vector",
    "array": "array",
    "span": "span",
    "optional": "optional nullopt",
    "utility": "move exchange swap pair",
    "memory": "unique_ptr shared_ptr make_unique make_shared",
    "chrono": "chrono",
    "functional": "function",
    "algorithm": "min max find find_if copy copy_n clamp sort equal fill reverse",
    "charconv": "from_chars to_chars",
    "system_error": "system_error error_code generic_category error_category",
    "stdexcept": "runtime_error logic_error invalid_argument out_of_range",
    "iostream": "cout cerr cin endl",
}
HEADER_OF = {name: header for header, names in HEADERS.items()
             for name in names.split()}

NAME = r"'(?:struct |class )?(?:::|std::)?([\w:~]+)[^']*'"
# (what g++ or clang++ says, what it means); the first match counts.
EXPLANATIONS = [
    (rf"incomplete type {NAME}|aggregate '(?:struct )?(\w+) [^']*' has incomplete",
     "The compiler knows that the type {0} exists, but not what is in it.{include}"),
    (rf"{NAME} (?:was not declared|has not been declared|is not a member of"
     r"|does not name a type|in namespace 'std' does not name)"
     rf"|use of undeclared identifier {NAME}"
     rf"|no (?:member|type|template) named {NAME} in (?:the global )?namespace"
     rf"|unknown type name {NAME}",
     "The compiler does not know the name {0} here.{include}"),
    (rf"{NAME} has no member named {NAME}|no member named '(\w+)' in '",
     "The type has nothing of that name: compare its declaration, letter by letter."),
    (r"No such file or directory|file not found",
     "An #include names a file that is not there: check its spelling and path."),
    (r"undefined reference to|undefined symbol",
     "The header promises this function, or you call it, but no .cc defines "
     "it with the same name, namespace and parameters."),
    (r"multiple definition of|duplicate symbol",
     "Two .cc files define the same function: keep one, or make it static."),
    (r"redefinition of|conflicting declaration",
     "The same name is defined twice in one scope: rename or remove one."),
    (rf"no declaration matches {NAME}|out-of-line definition of {NAME}",
     "Your definition differs from the header in name, parameters or const: "
     "copy the line from the header."),
    (r"'(?:const )?sockaddr_\w+ ?\*' to '(?:const )?(?:struct )?sockaddr ?\*'"
     r"|from '(?:const )?(?:struct )?sockaddr_\w+ ?\*' to"
     r"|sockaddr \*' with an rvalue of type '(?:struct )?sockaddr_\w+ ?\*'",
     "The socket calls take the general sockaddr*: write "
     "reinterpret_cast<sockaddr*>(&address)."),
    (r"from '(?:const )?void ?\*'|value of type '(?:const )?void ?\*'",
     "C++ does not turn void* into another pointer by itself: write "
     "static_cast<const char*>(pointer)."),
    (r"invalid conversion from 'const [^']*\*' to '[^']*\*'|discards qualifiers"
     r"|drops 'const' qualifier|cannot assign to .* const|assignment of read-only",
     "Something const would become changeable: keep the const, or work on a copy."),
    (r"narrowing conversion|cannot be narrowed",
     "Braces {} refuse a conversion that may lose digits: if it cannot, say "
     "so with static_cast<type>(value)."),
    (r"use of deleted function|call to deleted|call to implicitly-deleted",
     "This type cannot be copied: hand it over with std::move(...), or take "
     "it by reference."),
    (rf"{NAME} is private within|is a private member of",
     "That member belongs to the class alone: use one of its public functions."),
    (r"expected '?[,;]*;|expected ';'|expected ',' or ';'",
     "A semicolon is missing: look at the end of the line before, too."),
    (r"expected '\}'|expected unqualified-id|extraneous closing brace"
     r"|expected declaration",
     "The braces do not pair up: look for a { or } too many or too few above."),
    (r"no return statement|does not return a value|control reaches end",
     "The function promises a value, but a path through it ends without a return."),
    (r"return-statement with (?:a|no) value|should (?:not )?return a value",
     "The return does not fit the function: compare with its first line."),
    (r"too (?:few|many) arguments",
     "The number of arguments differs from the declaration: see the header or "
     "the man page."),
    (r"no matching function for call to|no matching (?:member function|constructor)",
     "A function of this name exists, but not for these arguments: compare "
     "their types and number with its declaration."),
    (r"(?:invalid|no viable) conversion|cannot convert|cannot initialize"
     r"|no match for 'operator|invalid operands to",
     "The types on the two sides do not fit: compare them one by one."),
]


@dataclass
class Error:
    """The first error of a build that failed."""
    path: str  # relative to the checkout; "" where the linker gives none
    line: int
    message: str
    meaning: str
    more: int  # how many errors come after it

    def excerpt(self):
        """[(number, text)]: the line with its neighbours."""
        path = tree.ROOT / self.path
        if not self.line or not path.is_file():
            return []
        lines = path.read_text(errors="replace").split("\n")
        first = max(1, self.line - 1)
        return [(number, lines[number - 1])
                for number in range(first, min(len(lines), self.line + 1) + 1)]

    def where(self):
        return f"{self.path}:{self.line}" if self.line else self.path

    def as_json(self):
        return {"file": self.path, "line": self.line, "message": self.message,
                "meaning": self.meaning, "more": self.more}


DIAGNOSTIC = re.compile(
    r"^(?:\./)?(?P<path>[^\s:]+):(?P<line>\d+):(?:\d+:)? (?:fatal )?error: (?P<text>.*)$")
LINKER = re.compile(r"(?:(?P<path>[\w./-]+\.cc)\b[^\s]*:?)?.*?(?P<text>(?:undefined "
                    r"reference to|undefined symbol:?|multiple definition of) .*)$")
# Where our own code comes in when the error is inside a library's header.
OURS = re.compile(r"(?:^|from )(?:\./)?(?P<path>(?:chapters|solutions|tests|common|bench)"
                  r"/[^\s:]+):(?P<line>\d+)")


def first_error(output):
    """The first error in a compiler's or linker's output, or None."""
    lines = re.sub("[‘’`]", "'", output).split("\n")
    found = [(i, match) for i, line in enumerate(lines)
             if (match := DIAGNOSTIC.match(line))]
    if not found:
        found = [(i, match) for i, line in enumerate(lines)
                 if (match := LINKER.search(line))]
    if not found:
        return None
    at, match = found[0]
    path, line = match["path"] or "", int(match.groupdict().get("line") or 0)
    if not line and "/" not in path:
        path = ""  # the linker names an object's source without its folder
    if line and not OURS.match(f"{path}:{line}"):
        end = found[1][0] if len(found) > 1 else len(lines)
        near = [ours for text in lines[:at][::-1] + lines[at:end]
                if (ours := OURS.search(text))]
        # Where a template is used tells more than where it is included.
        near.sort(key=lambda ours: ours[0].startswith("from"))
        if near:
            path, line = near[0]["path"], int(near[0]["line"])
    message = match["text"].strip()
    return Error(path, line, message, explain(message), len(found) - 1)


def explain(message):
    """One sentence on what `message` means; "" when we do not know it."""
    for pattern, meaning in EXPLANATIONS:
        if match := re.search(pattern, message):
            name = next((group for group in match.groups() if group), "")
            header = HEADER_OF.get(name.rpartition("::")[2])
            if header:
                include = f" Write #include <{header}> at the top of the file."
            else:
                include = " Check its spelling, its namespace and its #include."
            return meaning.replace("{0}", name).replace("{include}", include)
    return ""


def warnings(output, chapter):
    """["file:line: text"] of the warnings in the chapter's own files."""
    return re.findall(rf"^(chapters/{chapter.name}/[^\s:]+:\d+):(?:\d+:)? "
                      r"warning: (.*)$", output, re.MULTILINE)
