/* SPDX-License-Identifier: ISC */
/* Rights are those of acl.h. Sockets are handles, of which a process may have millions, so there is no limit to look at. */
#include "doctor.h"

#include "acl.h"
#include "cmd.h"
#include "wide.h"

#include <errno.h>
#include <string.h>

const char doctor_no_random[] = "do sfc /scannow as an administrator: it repairs Windows";
const char doctor_no_clock[] = "look at the virtual machine, or restart this machine";
const int doctor_nap_ms = 200; /* a tick has 16 */
const char doctor_home_name[] = "APPDATA";
const char doctor_home_next[] = "sign in as this user; or set APPDATA=%USERPROFILE%\\AppData\\Roaming";

int doctor_look(doctor *d, const char *check, const char *path, const char *if_missing) {
    char next[ACL_REPAIR];
    HANDLE h = wide_open(path, READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_FLAG_BACKUP_SEMANTICS);
    if (h == INVALID_HANDLE_VALUE) {
        doctor_state state = errno == ENOENT ? DOCTOR_NOTE : DOCTOR_FAULT;
        doctor_tell(d, state, EXIT_LOCAL, check, state == DOCTOR_NOTE ? if_missing : "look at its rights and its owner", "%s: %s", path,
                    errno == ENOENT ? "this is not there yet" : strerror(errno));
        return 0;
    }
    acl_verdict v = acl_look(h, ACL_CHANGE);
    acl_repair(next, v, h, path);
    (void)CloseHandle(h);
    if (v != ACL_OURS) doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, check, next, "%s %s", path, acl_fault(v, ACL_CHANGE));
    return v == ACL_OURS;
}

void doctor_home(doctor *d) {
    char home[HOME_PATH];
    const wchar_t *data = _wgetenv(L"APPDATA");
    if (data && wide_to(home, sizeof home, data) == 0 && doctor_look(d, "home", home, "make it, or set APPDATA"))
        doctor_tell(d, DOCTOR_OK, 0, "home", NULL, "%s", home);
}

void doctor_limits(doctor *d) { (void)d; }
