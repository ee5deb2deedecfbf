/* PDF by pdftotext (poppler) in a child process: hostile files are parsed where there is no key, no
 * network, little memory and an end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "extract/private.h"

#define WALL_MS 30000
#define CPU_S 20
#define MEMORY_BYTES (1024ULL << 20)
#define MISSING 127 /* what the child ends with when there is no pdftotext */
#define SAYS_MAX 4096

struct child {
    pid_t pid;
    int out, err;
    struct rlx_sink text;
    char says[SAYS_MAX]; /* what it writes to its standard error */
    size_t says_length;
    bool late;
};

static void limit(__rlimit_resource_t what, rlim_t most)
{
    const struct rlimit value = {most, most};

    setrlimit(what, &value);
}

/* After fork: only calls that are safe there. */
__attribute__((noreturn)) static void be_child(int file, int out, int err)
{
    static char *const argv[] = {"pdftotext",       "-enc", "UTF-8", "-nopgbrk",
                                 "/proc/self/fd/0", "-",    NULL};
    static char *const envp[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL};
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    /* Where user namespaces are switched off it keeps the network, which pdftotext has no use for.
     */
    if (unshare(CLONE_NEWNET))
        (void)unshare(CLONE_NEWUSER | CLONE_NEWNET);
    if (dup2(file, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 || chdir("/"))
        _exit(MISSING - 1);
    close_range(3, ~0U, 0);
    limit(RLIMIT_CPU, CPU_S);
    limit(RLIMIT_AS, MEMORY_BYTES);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, 32);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execve("/usr/bin/pdftotext", argv, envp);
    execvpe("pdftotext", argv, envp);
    _exit(MISSING);
}

/* The bytes as a file that has no name. */
static int file_of(const char *data, size_t length)
{
    int fd = memfd_create("document", MFD_CLOEXEC);

    for (size_t written = 0; fd >= 0 && written < length;) {
        ssize_t n = write(fd, data + written, length - written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            close(fd);
            return -1;
        }
        written += (size_t)n;
    }
    return fd;
}

static int start(struct child *child, const char *data, size_t length)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1}, failed = -ENOMEM;
    int file = file_of(data, length);

    if (file < 0 || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        goto out;
    child->pid = fork();
    if (!child->pid)
        be_child(file, out[1], err[1]);
    if (child->pid < 0)
        goto out;
    child->out = out[0];
    child->err = err[0];
    out[0] = err[0] = -1;
    failed = 0;
out:
    for (int i = 0; i < 2; i++) {
        if (out[i] >= 0)
            close(out[i]);
        if (err[i] >= 0)
            close(err[i]);
    }
    if (file >= 0)
        close(file);
    return failed;
}

static int64_t wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Takes what has come; false when the stream has ended. */
static bool take(struct child *child, int fd)
{
    char buffer[65536];
    ssize_t n = read(fd, buffer, sizeof buffer);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (!n)
        return false;
    if (fd == child->out) {
        rlx_sink_add(&child->text, buffer, (size_t)n);
        return !child->text.full && !child->text.failed;
    }
    size_t room = SAYS_MAX - 1 - child->says_length;
    size_t kept = (size_t)n < room ? (size_t)n : room;
    memcpy(child->says + child->says_length, buffer, kept);
    child->says_length += kept;
    return true;
}

/* Reads both streams until they end, or until it has said or taken too much. */
static void collect(struct child *child)
{
    struct pollfd fds[] = {{.fd = child->out, .events = POLLIN},
                           {.fd = child->err, .events = POLLIN}};
    int64_t until = wall_ms() + WALL_MS;

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        int64_t left = until - wall_ms();
        if (left <= 0 || child->text.full || child->text.failed) {
            child->late = left <= 0;
            kill(child->pid, SIGKILL);
            break;
        }
        if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
            break;
        for (int i = 0; i < 2; i++)
            if (fds[i].fd >= 0 && fds[i].revents && !take(child, fds[i].fd))
                fds[i].fd = -1;
    }
}

static int judge(struct rlx_extracted *out, const struct child *child, int status, char **whyp)
{
    const char *why = NULL;

    if (child->text.failed)
        return -ENOMEM;
    if (WIFEXITED(status) && WEXITSTATUS(status) == MISSING) {
        *whyp = talloc_strdup(out, "PDF files can't be read on this server: pdftotext is missing "
                                   "(install the package poppler-utils)");
        return RLX_ECONFIG;
    }
    if (child->text.full)
        why = "it holds more than 1000000 bytes of text; split it into smaller files";
    else if (child->late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
        why = "reading the PDF takes too long; split it into smaller files";
    else if (strstr(child->says, "ncorrect password") || strstr(child->says, "ncrypt"))
        why = "the PDF is encrypted; save it without a password";
    else if (!WIFEXITED(status) || WEXITSTATUS(status))
        why = "the PDF is broken and can't be read";
    else if (!child->text.text || strspn(child->text.text, " \t\r\n\f") == child->text.length)
        why = "the PDF holds no text (scanned pages?); run it through text recognition first";
    if (!why)
        return 0;
    *whyp = talloc_strdup(out, why);
    return RLX_EINVAL;
}

int rlx_extract_pdf(struct rlx_extracted *out, const char *data, size_t length, char **whyp)
{
    struct child *child = talloc_zero(out, struct child);
    char *text = NULL;
    size_t text_length = 0;
    int status = 0;

    if (!child)
        return -ENOMEM;
    child->text.ctx = out;
    int err = start(child, data, length);
    if (err)
        goto out;
    collect(child);
    close(child->out);
    close(child->err);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    err = judge(out, child, status, whyp);
    if (!err)
        err = rlx_extract_decode(&text, &text_length, out, "utf-8", child->text.text,
                                 child->text.length, whyp);
    out->text = text;
out:
    talloc_free(child->text.text);
    talloc_free(child);
    return err;
}
