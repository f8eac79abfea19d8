/* Which functions of a program run: ran SYMBOLS LOG PROGRAM [ARGUMENT...]. SYMBOLS is what `nm --defined-only PROGRAM`
 * prints; LOG (`-`: standard error) gets the name of each function at its first call. A trap stands at the start of each
 * function until it is hit, so that the program runs at its own speed, on the instructions that this processor has.
 * x86-64 Linux.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

struct function {
    uint64_t at;
    uint8_t first;
    char *name;
};

static pid_t child;
static struct function *functions;
static size_t count;
static int memory;
static FILE *out;

static void die(const char *what) {
    fprintf(stderr, "ran: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Whoever ends us means the program. */
static void pass_on(int sign) { kill(child, sign); }

static int by_address(const void *a, const void *b) {
    uint64_t x = ((const struct function *)a)->at, y = ((const struct function *)b)->at;
    return x < y ? -1 : x > y;
}

static void read_symbols(const char *path) {
    FILE *in = fopen(path, "r");
    char line[8192], kind, name[8000];
    unsigned long long at;
    if (!in) die(path);
    while (fgets(line, sizeof line, in)) {
        if (sscanf(line, "%llx %c %7999s", &at, &kind, name) != 3 || !strchr("tTwW", kind)) continue;
        functions = realloc(functions, (count + 1) * sizeof *functions);
        if (!functions) die("memory");
        functions[count++] = (struct function){ at, 0, strdup(name) };
    }
    fclose(in);
    qsort(functions, count, sizeof *functions, by_address);
}

/* Where the program's first segment is. */
static uint64_t base_of(const char *program) {
    char path[64], line[8192], real[4096];
    unsigned long long base = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", child);
    FILE *maps = fopen(path, "r");
    if (!maps || !realpath(program, real)) die(path);
    while (fgets(line, sizeof line, maps))
        if (strstr(line, real)) {
            sscanf(line, "%llx", &base);
            break;
        }
    fclose(maps);
    return base;
}

/* Several names may stand for one place: all have run. */
static int hit(uint64_t at) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (functions[middle].at < at) low = middle + 1;
        else high = middle;
    }
    if (low == count || functions[low].at != at) return 0;
    if (pwrite(memory, &functions[low].first, 1, (off_t)at) != 1) die("restoring");
    for (; low < count && functions[low].at == at; low++) {
        if (functions[low].name) fprintf(out, "%s\n", functions[low].name);
        functions[low].name = NULL;
    }
    return 1;
}

static void set_traps(const char *program) {
    char path[64];
    uint64_t base = base_of(program);
    const uint8_t trap = 0xCC;
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    if ((memory = open(path, O_RDWR | O_CLOEXEC)) < 0) die(path);
    for (size_t i = 0; i < count; i++) {
        functions[i].at += base;
        if (i > 0 && functions[i - 1].at == functions[i].at) {
            functions[i].first = functions[i - 1].first;
            continue;
        }
        if (pread(memory, &functions[i].first, 1, (off_t)functions[i].at) != 1
            || pwrite(memory, &trap, 1, (off_t)functions[i].at) != 1)
            die("setting a trap");
    }
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: ran SYMBOLS LOG PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    read_symbols(argv[1]);
    if (!(out = strcmp(argv[2], "-") ? fopen(argv[2], "we") : stderr)) die(argv[2]);
    setvbuf(out, NULL, _IOLBF, 0);
    child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(argv[3], argv + 3);
        die(argv[3]);
    }
    int status;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) die("the start");
    ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
    set_traps(argv[3]);
    ptrace(PTRACE_CONT, child, NULL, NULL);
    signal(SIGTERM, pass_on);
    for (pid_t thread; (thread = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR;) {
        if (thread < 0) continue;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (thread == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
            continue;
        }
        int sign = WSTOPSIG(status);
        if (sign == SIGTRAP) {
            struct user_regs_struct now;
            if (status >> 16 == 0 && ptrace(PTRACE_GETREGS, thread, NULL, &now) == 0) {
                /* Another thread may have been here just before: then the place is whole again. */
                if (hit(now.rip - 1)) {
                    now.rip--;
                    ptrace(PTRACE_SETREGS, thread, NULL, &now);
                }
            }
            sign = 0;
        } else if (sign == SIGSTOP && thread != child) {
            /* How a new thread begins. */
            sign = 0;
        }
        ptrace(PTRACE_CONT, thread, NULL, sign);
    }
    return 0;
}
