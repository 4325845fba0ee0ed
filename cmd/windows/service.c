/* SPDX-License-Identifier: ISC */
/*
 * svconn service: another command as a service of Windows. Three threads: the first one is lent to the service manager,
 * which calls on_control in it; serve_manager is the service's, and tells the manager how things stand; the command runs
 * in the third.
 */
#include "audit_out.h"
#include "cmd.h"
#include "manager.h"
#include "options.h"
#include "terminal.h"
#include "text.h"

#include <stddef.h>
#include <windows.h>

/* A command that cannot begin says so within START_MS, and "net start" shows it. After the first signal what is under
 * way ends in order, after the second one at once, and then we end. When the system ends it waits 5 s (Windows 8). */
enum { START_MS = 1000, ORDER_MS = 20000, HURRY_MS = 4000, ORDER_AT_SHUTDOWN_MS = 2500, HURRY_AT_SHUTDOWN_MS = 1500, REPORT_MS = 2000 };

static struct {
    SERVICE_STATUS_HANDLE manager;
    HANDLE stop;            /* an event */
    volatile LONG shutdown; /* the whole system ends */
    const char *log;
    int argc;
    char **argv; /* the command and its arguments */
    int code;
} service;

/* ---- standard input and output ---- */

static int lead(int fd, int standard, DWORD name) {
    return _dup2(fd, standard) == 0 && SetStdHandle(name, (HANDLE)_get_osfhandle(standard)) ? 0 : -1;
}

/* A service has none. (The streams of the C library have no descriptors then: what is printed by stdout is lost.) */
static int open_log(void) {
    int nothing = open("NUL", O_RDONLY | O_CLOEXEC), log = audit_out_file(service.log);
    if (nothing < 0 || lead(nothing, STDIN_FILENO, STD_INPUT_HANDLE) != 0) return -1;
    if (log < 0 || lead(log, STDOUT_FILENO, STD_OUTPUT_HANDLE) != 0 || lead(log, STDERR_FILENO, STD_ERROR_HANDLE) != 0) return -1;
    say_with_time();
    return 0;
}

/* ---- the manager ---- */

static void report(DWORD state, DWORD within_ms, int code) {
    SERVICE_STATUS s = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS,
                        .dwCurrentState = state,
                        .dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN : 0,
                        .dwWin32ExitCode = code ? ERROR_SERVICE_SPECIFIC_ERROR : NO_ERROR,
                        .dwServiceSpecificExitCode = (DWORD)code,
                        .dwWaitHint = within_ms};
    (void)SetServiceStatus(service.manager, &s);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *arg) {
    (void)type;
    (void)data;
    (void)arg;
    if (control == SERVICE_CONTROL_INTERROGATE) return NO_ERROR;
    if (control != SERVICE_CONTROL_STOP && control != SERVICE_CONTROL_SHUTDOWN) return ERROR_CALL_NOT_IMPLEMENTED;
    if (control == SERVICE_CONTROL_SHUTDOWN) service.shutdown = 1;
    (void)SetEvent(service.stop);
    return NO_ERROR;
}

/* ---- the command ---- */

static DWORD WINAPI run_command(void *arg) {
    const struct command *c = command_find(service.argv[0]);
    (void)arg;
    if (c && c->run != cmd_service) {
        service.code = c->run(service.argc, service.argv);
    } else {
        say("service: there is no command \"%s\" that could be a service; see \"svconn --help\"", service.argv[0]);
        service.code = EXIT_USAGE;
    }
    return 0;
}

static void end_now(void) {
    report(SERVICE_STOPPED, 0, EXIT_DONE);
    ExitProcess(EXIT_DONE);
}

static void stop(HANDLE command) {
    DWORD within[2] = {ORDER_MS, HURRY_MS};
    if (service.shutdown) within[0] = ORDER_AT_SHUTDOWN_MS, within[1] = HURRY_AT_SHUTDOWN_MS;
    report(SERVICE_STOP_PENDING, within[0] + within[1] + REPORT_MS, EXIT_DONE);
    say("%s: ending, as the %s", service.argv[0], service.shutdown ? "system ends" : "service manager wants");
    for (int i = 0; i < 2; i++) {
        if (signals_stop() >= 0) end_now();
        if (WaitForSingleObject(command, within[i]) == WAIT_OBJECT_0) return;
    }
    say("%s: it did not end in time, so it was ended", service.argv[0]);
    end_now();
}

/* After a stop that was wanted nobody is to start it again, whatever could not be finished. */
static int run(void) {
    HANDLE both[2] = {CreateThread(NULL, 0, run_command, NULL, 0, NULL), service.stop};
    if (!both[0]) return EXIT_LOCAL;
    if (WaitForSingleObject(both[0], START_MS) == WAIT_TIMEOUT) report(SERVICE_RUNNING, 0, EXIT_DONE);
    int wanted = WaitForMultipleObjects(2, both, FALSE, INFINITE) != WAIT_OBJECT_0;
    if (wanted) stop(both[0]);
    say("%s: ended, exit code %d", service.argv[0], service.code);
    return wanted ? EXIT_DONE : service.code;
}

static void WINAPI serve_manager(DWORD argc, wchar_t **argv) {
    (void)argc;
    (void)argv;
    service.stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    service.manager = RegisterServiceCtrlHandlerExW(L"", on_control, NULL);
    if (!service.manager || !service.stop) ExitProcess(EXIT_LOCAL);
    report(SERVICE_START_PENDING, START_MS + REPORT_MS, EXIT_DONE);
    terminal_leave(); /* nobody would see a question */
    signals_by_manager();
    report(SERVICE_STOPPED, 0, open_log() == 0 ? run() : EXIT_LOCAL);
}

int cmd_service(int argc, char **argv) {
    static wchar_t any_name[] = L"";
    const SERVICE_TABLE_ENTRYW table[] = {{any_name, serve_manager}, {NULL, NULL}};
    const char *operand[3] = {NULL, NULL, NULL};
    const usage u = {
        .command = "service",
        .operands = "LOG COMMAND [ARGUMENT ...]",
        .about = "What the service manager of Windows starts: runs COMMAND in the background, as a service. What it would\n"
                 "say goes to the file LOG, with the time, and questions are answered with no. COMMAND is serve, relay,\n"
                 "forward, echo-server, or listen or receive with --keep.",
        .more = "Example, for an administrator (the quotes and the blanks after = as they are here; see docs/windows.md\n"
                "for the account and its files):\n"
                "  sc create svconn start= auto obj= \"NT SERVICE\\svconn\" binPath= \"\\\"C:\\Program Files\\svconn\\svconn.exe\\\"\n"
                "    service C:\\ProgramData\\svconn\\log\\serve.log serve --key C:\\ProgramData\\svconn\\own\\key ...\"    (one line)\n"
                "  sc start svconn\n"
                "Names of files are whole paths: a service begins in C:\\Windows\\System32. When it is stopped, COMMAND ends\n"
                "in order, within 24 seconds (when the system ends, 4). When COMMAND ends by itself, its exit code is the\n"
                "service's specific error, and LOG has the reason; 3 without a line in LOG: LOG cannot be written.",
        .least_operands = 2,
        .most_operands = 2};
    int code = options_read(&u, argc < 3 ? argc : 3, argv, operand); /* the options behind are those of COMMAND */
    if (code >= 0) return code;
    service.log = operand[0];
    service.argc = argc - 2;
    service.argv = argv + 2;
    if (StartServiceCtrlDispatcherW(table)) return service.code;
    if (GetLastError() != ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
        say("service: the service manager does not answer (error %lu)", GetLastError());
        return EXIT_LOCAL;
    }
    say("service: this is for the service manager, which did not start it; \"svconn service --help\" shows how to register "
        "it there (to try the command: svconn %s ...)",
        service.argv[0]);
    return EXIT_USAGE;
}
