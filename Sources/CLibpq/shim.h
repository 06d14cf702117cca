// What the module `Postgres` needs of C: libpq, and eventfd, which Swift's Glibc module leaves out.
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
