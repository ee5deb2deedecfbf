#include "base/supervisor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#define LINE_BYTES 4096
#define LAST_LINES 8
#define LAST_LINE_BYTES 256
#define DEFAULT_GRACE_MS 5000u
#define PROBE_EVERY_MS 50u
#define PROBE_LIMIT_MS 2000u
#define ALIVE_MS 200u /* a child without a port is ready when it has lived for so long */
#define STEADY_MS 30000u
#define BACKOFF_FIRST_MS 500u
#define BACKOFF_MAX_MS 5000u
#define DEATHS_BEFORE_READY 6

enum state { WAITING, STARTED, READY, STOPPING, GONE };

struct member {
    struct rlx_child spec;
    enum state state;
    pid_t pid;
    uint64_t started_ms;
    uint64_t deadline_ms; /* WAITING: when to start; STOPPING: when to kill */
    unsigned deaths;      /* in a row, each before STEADY_MS were over */
    bool was_ready;
    int pipe;

    int probe; /* a socket that asks whether the child is ready, or -1 */
    bool probe_sent;
    uint64_t probe_ms;

    char line[LINE_BYTES];
    size_t length;
    char last[LAST_LINES][LAST_LINE_BYTES];
    unsigned last_count;
};

struct rlx_supervisor {
    struct member **members;
    size_t count;
    rlx_supervisor_ready_h *ready;
    void *arg;
    bool told;
    bool stopping;
    bool killing;
    const char *failed;
    unsigned backoff_first_ms;
    unsigned backoff_max_ms;
    int signals;
    sigset_t old_mask;
};

int rlx_supervisor_create(struct rlx_supervisor **supervisorp, TALLOC_CTX *ctx)
{
    if (!supervisorp)
        return -EINVAL;
    *supervisorp = talloc_zero(ctx, struct rlx_supervisor);
    if (!*supervisorp)
        return -ENOMEM;
    (*supervisorp)->signals = -1;
    rlx_supervisor_set_backoff(*supervisorp, BACKOFF_FIRST_MS, BACKOFF_MAX_MS);
    return 0;
}

void rlx_supervisor_set_backoff(struct rlx_supervisor *supervisor, unsigned first_ms,
                                unsigned max_ms)
{
    supervisor->backoff_first_ms = first_ms;
    supervisor->backoff_max_ms = max_ms;
}

static struct member *find(const struct rlx_supervisor *supervisor, const char *name)
{
    for (size_t i = 0; i < supervisor->count; i++)
        if (!strcmp(supervisor->members[i]->spec.name, name))
            return supervisor->members[i];
    return NULL;
}

static const char *const *copy_list(TALLOC_CTX *ctx, const char *const *list)
{
    unsigned n = 0;

    while (list && list[n])
        n++;
    char **copy = talloc_zero_array(ctx, char *, n + 1);
    for (unsigned i = 0; copy && i < n; i++)
        if (!(copy[i] = talloc_strdup(copy, list[i])))
            return NULL;
    return (const char *const *)copy;
}

int rlx_supervisor_add(struct rlx_supervisor *supervisor, const struct rlx_child *child)
{
    struct member *member, **members;

    if (!supervisor || !child || !child->name || !child->argv || !child->argv[0] ||
        find(supervisor, child->name) || (child->after && !find(supervisor, child->after)))
        return -EINVAL;
    member = talloc_zero(supervisor, struct member);
    members = talloc_realloc(supervisor, supervisor->members, struct member *,
                             (unsigned)supervisor->count + 1);
    if (!member || !members)
        return -ENOMEM;
    supervisor->members = members;
    member->spec = *child;
    member->spec.name = talloc_strdup(member, child->name);
    member->spec.argv = copy_list(member, child->argv);
    member->spec.env = copy_list(member, child->env);
    member->spec.ready_path = talloc_strdup(member, child->ready_path ? child->ready_path : "/");
    member->spec.ready_host = child->ready_host ? talloc_strdup(member, child->ready_host) : NULL;
    member->spec.after = child->after ? talloc_strdup(member, child->after) : NULL;
    member->pipe = member->probe = -1;
    if (!member->spec.name || !member->spec.argv || !member->spec.env || !member->spec.ready_path)
        return -ENOMEM;
    members[supervisor->count++] = member;
    return 0;
}

/* ---- output ---- */

static void write_all(const char *text, size_t length)
{
    while (length) {
        ssize_t n = write(STDERR_FILENO, text, length);
        if (n <= 0 && errno != EINTR)
            return;
        if (n > 0) {
            text += n;
            length -= (size_t)n;
        }
    }
}

static void print_line(const char *name, const char *line)
{
    char text[LINE_BYTES + 128];
    int n = line[0] == '{' && line[1] == '"'
                ? snprintf(text, sizeof text, "{\"process\":\"%s\",%s\n", name, line + 1)
                : snprintf(text, sizeof text, "%-7s | %s\n", name, line);

    if (n > 0)
        write_all(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void end_line(struct member *member)
{
    member->line[member->length] = '\0';
    member->length = 0;
    if (member->spec.quiet) {
        snprintf(member->last[member->last_count++ % LAST_LINES], LAST_LINE_BYTES, "%.*s",
                 LAST_LINE_BYTES - 1, member->line);
        return;
    }
    print_line(member->spec.name, member->line);
}

static void print_last_lines(struct member *member)
{
    unsigned first = member->last_count > LAST_LINES ? member->last_count - LAST_LINES : 0;

    for (unsigned i = first; i < member->last_count; i++)
        print_line(member->spec.name, member->last[i % LAST_LINES]);
    member->last_count = 0;
}

/* Reads what is there. The pipe is closed at its end. */
static void read_output(struct member *member)
{
    char chunk[LINE_BYTES];
    ssize_t n;

    while ((n = read(member->pipe, chunk, sizeof chunk)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (chunk[i] != '\n')
                member->line[member->length++] = chunk[i];
            if (chunk[i] == '\n' || member->length == sizeof member->line - 1)
                end_line(member);
        }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        if (member->length)
            end_line(member);
        close(member->pipe);
        member->pipe = -1;
    }
}

/* ---- starting ---- */

/* In the child, between fork and exec: only what is allowed there. Never returns. */
static void become(const struct member *member, int out, const sigset_t *mask, pid_t parent)
{
    int null = open("/dev/null", O_RDONLY);

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(127);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    sigprocmask(SIG_SETMASK, mask, NULL);
    for (size_t i = 0; member->spec.env[i]; i++)
        putenv((char *)(uintptr_t)member->spec.env[i]);
    execv(member->spec.argv[0], (char *const *)(uintptr_t)member->spec.argv);
    dprintf(STDERR_FILENO, "%s can't be started: %s\n", member->spec.argv[0],
            strerrordesc_np(errno));
    _exit(127);
}

static void later(const struct rlx_supervisor *supervisor, struct member *member, uint64_t now)
{
    unsigned wait = 0;

    if (member->deaths > 1) {
        unsigned doublings = member->deaths - 2 < 8 ? member->deaths - 2 : 8;
        wait = supervisor->backoff_first_ms << doublings;
        wait = wait < supervisor->backoff_max_ms ? wait : supervisor->backoff_max_ms;
    }
    member->state = WAITING;
    member->deadline_ms = now + wait;
}

static void start(struct rlx_supervisor *supervisor, struct member *member, uint64_t now)
{
    pid_t self = getpid();
    int ends[2];

    if (pipe2(ends, O_CLOEXEC)) {
        member->deadline_ms = now + BACKOFF_FIRST_MS;
        return;
    }
    pid_t pid = fork();
    if (pid == 0)
        become(member, ends[1], &supervisor->old_mask, self);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        member->deadline_ms = now + BACKOFF_FIRST_MS;
        return;
    }
    setpgid(pid, pid); /* both sides do it: whoever comes first */
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (member->pipe >= 0)
        close(member->pipe);
    member->pipe = ends[0];
    member->length = 0;
    member->pid = pid;
    member->started_ms = now;
    member->state = STARTED;
    rlx_log(RLX_INFO, "child.started", "child=%s pid=%d", member->spec.name, (int)pid);
}

/* ---- readiness ---- */

static void end_probe(struct member *member, uint64_t now)
{
    if (member->probe >= 0)
        close(member->probe);
    member->probe = -1;
    member->probe_ms = now;
}

static void begin_probe(struct member *member, uint64_t now)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(member->spec.ready_port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    if (member->spec.ready_host)
        inet_pton(AF_INET, member->spec.ready_host, &to.sin_addr);
    member->probe = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    member->probe_sent = false;
    member->probe_ms = now;
    if (member->probe >= 0 && connect(member->probe, (struct sockaddr *)&to, sizeof to) &&
        errno != EINPROGRESS)
        end_probe(member, now);
}

static void is_ready(struct member *member, uint64_t now)
{
    end_probe(member, now);
    member->state = READY;
    member->was_ready = true;
    rlx_log(RLX_INFO, "child.ready", "child=%s after_ms=%d", member->spec.name,
            (int)(now - member->started_ms));
}

static void serve_probe(struct member *member, short events, uint64_t now)
{
    char text[512];

    if (!member->probe_sent) {
        if (!(events & (POLLOUT | POLLERR | POLLHUP)))
            return;
        int n = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n",
                         member->spec.ready_path);
        if (send(member->probe, text, (size_t)n, MSG_NOSIGNAL) != n)
            end_probe(member, now);
        else
            member->probe_sent = true;
        return;
    }
    /* A status line comes in one piece from the servers that are started here. */
    ssize_t n = recv(member->probe, text, sizeof text - 1, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    text[n > 0 ? n : 0] = '\0';
    if (!strncmp(text, "HTTP/1.", 7) && !strncmp(text + 8, " 200", 4))
        is_ready(member, now);
    else
        end_probe(member, now);
}

/* ---- ends ---- */

static void died(struct rlx_supervisor *supervisor, struct member *member, int status, uint64_t now)
{
    bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    kill(-member->pid, SIGKILL); /* what it left behind would hold its port */
    if (member->pipe >= 0)
        read_output(member);
    end_probe(member, now);
    member->pid = 0;
    if (supervisor->stopping) {
        member->state = GONE;
        rlx_log(RLX_INFO, "child.stopped", "child=%s", member->spec.name);
        return;
    }
    print_last_lines(member);
    rlx_log(clean ? RLX_WARN : RLX_ERROR, "child.died", "child=%s %s=%d", member->spec.name,
            WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    member->deaths = now - member->started_ms >= STEADY_MS ? 1 : member->deaths + 1;
    if (!member->was_ready && member->deaths >= DEATHS_BEFORE_READY) {
        supervisor->failed = member->spec.name;
        supervisor->stopping = true;
        rlx_log(RLX_ERROR, "child.given_up", "child=%s deaths=%u", member->spec.name,
                member->deaths);
    }
    later(supervisor, member, now);
}

static void reap(struct rlx_supervisor *supervisor, uint64_t now)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < supervisor->count; i++)
            if (supervisor->members[i]->pid == pid)
                died(supervisor, supervisor->members[i], status, now);
}

void rlx_supervisor_stop(struct rlx_supervisor *supervisor)
{
    supervisor->stopping = true;
}

/* One step of the ordered stop: the last child that still runs is asked to end, then made to. True
 * when all are gone. */
static bool stop_step(struct rlx_supervisor *supervisor, uint64_t now)
{
    for (size_t i = supervisor->count; i-- > 0;) {
        struct member *member = supervisor->members[i];
        if (!member->pid) {
            member->state = GONE;
            continue;
        }
        if (member->state != STOPPING) {
            member->state = STOPPING;
            member->deadline_ms =
                now + (member->spec.grace_ms ? member->spec.grace_ms : DEFAULT_GRACE_MS);
            kill(member->pid, SIGTERM);
        }
        if (now >= member->deadline_ms || supervisor->killing) {
            rlx_log(RLX_WARN, "child.killed", "child=%s", member->spec.name);
            kill(-member->pid, SIGKILL);
            member->deadline_ms = now + DEFAULT_GRACE_MS;
        }
        if (!supervisor->killing)
            return false; /* the ones before it go on until it is gone */
    }
    for (size_t i = 0; i < supervisor->count; i++)
        if (supervisor->members[i]->pid)
            return false;
    return true;
}

/* ---- the loop ---- */

static void take_signals(struct rlx_supervisor *supervisor, uint64_t now)
{
    struct signalfd_siginfo info;

    while (read(supervisor->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD || info.ssi_signo == SIGHUP)
            continue;
        if (supervisor->stopping)
            supervisor->killing = true;
        supervisor->stopping = true;
    }
    reap(supervisor, now);
}

/* Starts what is due, probes what was started, and tells once when all are ready. */
static void advance(struct rlx_supervisor *supervisor, uint64_t now)
{
    bool all = true;

    for (size_t i = 0; i < supervisor->count; i++) {
        struct member *member = supervisor->members[i];
        const struct member *first =
            member->spec.after ? find(supervisor, member->spec.after) : NULL;
        if (member->state == WAITING && now >= member->deadline_ms &&
            (!first || first->was_ready || member->started_ms))
            start(supervisor, member, now);
        if (member->state == STARTED && !member->spec.ready_port &&
            now - member->started_ms >= ALIVE_MS)
            is_ready(member, now);
        if (member->state == STARTED && member->probe >= 0 &&
            now - member->probe_ms >= PROBE_LIMIT_MS)
            end_probe(member, now);
        if (member->state == STARTED && member->probe < 0 &&
            now - member->probe_ms >= PROBE_EVERY_MS)
            begin_probe(member, now);
        all = all && member->state == READY;
    }
    if (all && !supervisor->told) {
        supervisor->told = true;
        if (supervisor->ready)
            supervisor->ready(supervisor->arg);
    }
}

static int wait_ms(const struct rlx_supervisor *supervisor, uint64_t now)
{
    uint64_t wait = 60000;

    for (size_t i = 0; i < supervisor->count; i++) {
        const struct member *member = supervisor->members[i];
        uint64_t at = now + wait;
        if (member->state == WAITING || member->state == STOPPING)
            at = member->deadline_ms;
        if (member->state == STARTED)
            at = now + PROBE_EVERY_MS;
        if (member->state == WAITING && member->deadline_ms <= now)
            at = now + PROBE_EVERY_MS; /* it waits for another one */
        if (at - now < wait || at < now)
            wait = at < now ? 0 : at - now;
    }
    return (int)wait;
}

static int poll_once(struct rlx_supervisor *supervisor, struct pollfd *fds)
{
    size_t count = supervisor->count;

    fds[0] = (struct pollfd){.fd = supervisor->signals, .events = POLLIN};
    for (size_t i = 0; i < count; i++) {
        struct member *member = supervisor->members[i];
        fds[1 + i] = (struct pollfd){.fd = member->pipe, .events = POLLIN};
        fds[1 + count + i] = (struct pollfd){
            .fd = member->probe, .events = (short)(member->probe_sent ? POLLIN : POLLOUT)};
    }
    if (poll(fds, 1 + 2 * count, wait_ms(supervisor, rlx_now_ms())) < 0 && errno != EINTR)
        return -errno;
    uint64_t now = rlx_now_ms();
    for (size_t i = 0; i < count; i++) {
        struct member *member = supervisor->members[i];
        if (fds[1 + i].revents && member->pipe == fds[1 + i].fd)
            read_output(member);
        if (fds[1 + count + i].revents && member->probe == fds[1 + count + i].fd)
            serve_probe(member, fds[1 + count + i].revents, now);
    }
    if (fds[0].revents)
        take_signals(supervisor, now);
    return 0;
}

static int open_signals(struct rlx_supervisor *supervisor)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &mask, &supervisor->old_mask))
        return -errno;
    supervisor->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return supervisor->signals < 0 ? -errno : 0;
}

int rlx_supervisor_run(struct rlx_supervisor *supervisor, rlx_supervisor_ready_h *ready, void *arg,
                       const char **namep)
{
    struct pollfd *fds;
    int err;

    if (!supervisor)
        return -EINVAL;
    fds = talloc_array(supervisor, struct pollfd, 1 + 2 * (unsigned)supervisor->count);
    if (!fds)
        return -ENOMEM;
    supervisor->ready = ready;
    supervisor->arg = arg;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    err = open_signals(supervisor);
    while (!err) {
        if (supervisor->stopping && stop_step(supervisor, rlx_now_ms()))
            break;
        if (!supervisor->stopping)
            advance(supervisor, rlx_now_ms());
        if (!supervisor->stopping || !stop_step(supervisor, rlx_now_ms()))
            err = poll_once(supervisor, fds);
    }
    for (size_t i = 0; i < supervisor->count; i++) {
        struct member *member = supervisor->members[i];
        if (member->pipe >= 0)
            close(member->pipe);
        member->pipe = -1;
        end_probe(member, 0);
    }
    if (supervisor->signals >= 0)
        close(supervisor->signals);
    supervisor->signals = -1;
    sigprocmask(SIG_SETMASK, &supervisor->old_mask, NULL);
    talloc_free(fds);
    if (!err && supervisor->failed) {
        if (namep)
            *namep = supervisor->failed;
        err = RLX_ECONFIG;
    }
    return err;
}
