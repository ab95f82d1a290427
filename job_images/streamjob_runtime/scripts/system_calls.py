"""Which system calls a script's process may not make, as a program for the kernel's filter.

Sources: https://www.kernel.org/doc/html/latest/userspace-api/seccomp_filter.html;
numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
"""

import errno
import struct
from dataclasses import dataclass
from typing import Final

# BPF: load a word; jump if equal, if any bit is set; and; return. linux/bpf_common.h
_LOAD, _EQUAL, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_AT_LEAST = 0x35
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
# Offsets in struct seccomp_data; of an argument, of its lower half.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
# The first number that is not known here, after which all are refused; x86's calls of 32 bits lie behind it, too.
_UNKNOWN = 463

# Numbers that all architectures share.
_COMMON: Final = (
    *range(424, 435),  # pidfd_send_signal, io_uring_*, open_tree, move_mount, fs*, pidfd_open
    438,  # pidfd_getfd
    440,  # process_madvise
    442,  # mount_setattr
    443,  # quotactl_fd
    447,  # memfd_secret
    448,  # process_mrelease
    452,  # fchmodat2
)
# Refused as if the kernel did not know them, since their arguments are behind a pointer: clone3, openat2.
_MISSING: Final = (435, 437)


@dataclass(frozen=True)
class Architecture:
    """A processor's numbers.

    Attributes:
        audit: its number in struct seccomp_data.
        denied: calls that are refused.
        opening: calls that open files, and which argument has the flags.
    """

    audit: int
    denied: tuple[int, ...]
    opening: tuple[tuple[int, int], ...]
    mmap: int
    kill: int
    tgkill: int
    fcntl: int
    prctl: int
    prlimit: int


ARCHITECTURES: Final = {
    "x86_64": Architecture(
        0xC000003E,
        denied=(
            *(29, 30, 31, 64, 68, 240),  # shmget, shmat, shmctl, semget, msgget, mq_open: memory that no limit counts
            *(65, 66, 69, 70, 71, 220, 241),  # semaphores and queues of others
            *(142, 144, 203, 251, 256, 279, 314),  # when and where others run: sched_set*, ioprio_set, move_pages
            *(153, 154, 162, 206, 253, 294, 306),  # vhangup, modify_ldt, sync, io_setup, inotify_init*, syncfs
            *range(41, 51),  # socket, connect, accept, sendto, recvfrom, sendmsg, recvmsg, shutdown, bind, listen
            *(53, 288),  # socketpair, accept4
            *(56, 57, 58, 59, 322),  # clone, fork, vfork, execve, execveat
            *(76, 82, 83, 84, 85, 86, 87, 88),  # truncate, rename, mkdir, rmdir, creat, link, unlink, symlink
            *(90, 91, 92, 93, 94, 132, 133, 235, 261, 280),  # chmod, chown and their kin, utime, mknod and theirs
            *(258, 259, 260, 263, 264, 265, 266, 268, 316),  # the same by folder: mkdirat ... renameat2
            *(188, 189, 190, 197, 198, 199),  # setxattr, removexattr and their kin
            *(101, 310, 311, 312),  # ptrace, process_vm_readv, process_vm_writev, kcmp
            *(
                105,
                106,
                109,
                112,
                113,
                114,
                116,
                117,
                119,
                122,
                123,
                126,
            ),  # setuid and its kin, setpgid, setsid, capset
            *(129, 200, 297),  # rt_sigqueueinfo, tkill, rt_tgsigqueueinfo
            *(103, 135, 141, 160, 163, 179),  # syslog, personality, setpriority, setrlimit, acct, quotactl
            *(155, 161, 165, 166, 167, 168, 169),  # pivot_root, chroot, mount, umount2, swapon, swapoff, reboot
            *(159, 164, 170, 171, 172, 173, 227, 305),  # clocks, names of the host, iopl, ioperm
            *(175, 176, 246, 313, 320),  # modules, kexec
            *(248, 249, 250, 298, 300, 321),  # add_key, request_key, keyctl, perf_event_open, fanotify_init, bpf
            *(272, 303, 304, 308, 319, 323),  # unshare, file handles, setns, memfd_create, userfaultfd
        ),
        opening=((2, 1), (257, 2)),
        mmap=9,
        kill=62,
        tgkill=234,
        fcntl=72,
        prctl=157,
        prlimit=302,
    ),
    "aarch64": Architecture(
        0xC00000B7,
        denied=(
            *(180, 186, 190, 194, 195, 196),  # mq_open, msgget, semget, shmget, shmctl, shmat
            *(181, 187, 188, 189, 191, 192, 193),  # semaphores and queues of others
            *(30, 118, 119, 122, 238, 239, 274),  # when and where others run: ioprio_set, sched_set*, move_pages
            *(0, 26, 58, 81, 267),  # io_setup, inotify_init1, vhangup, sync, syncfs
            *range(198, 213),  # socket ... recvmsg
            242,  # accept4
            *(220, 221, 281),  # clone, execve, execveat
            *(33, 34, 35, 36, 37, 38, 45, 276),  # mknodat, mkdirat, unlinkat, symlinkat, linkat, renameat, truncate
            *(52, 53, 54, 55, 88),  # fchmod, fchmodat, fchownat, fchown, utimensat
            *(5, 6, 7, 14, 15, 16),  # setxattr, removexattr and their kin
            *(117, 270, 271, 272),  # ptrace, process_vm_readv, process_vm_writev, kcmp
            *(91, 143, 144, 145, 146, 147, 149, 151, 152, 154, 157, 159),  # capset, setuid and its kin, setpgid, setsid
            *(130, 138, 240),  # tkill, rt_sigqueueinfo, rt_tgsigqueueinfo
            *(60, 89, 92, 116, 140, 164),  # quotactl, acct, personality, syslog, setpriority, setrlimit
            *(39, 40, 41, 51, 142, 224, 225),  # umount2, mount, pivot_root, chroot, reboot, swapon, swapoff
            *(112, 161, 162, 170, 171, 266),  # clocks, names of the host
            *(104, 105, 106, 273, 294),  # kexec, modules
            *(217, 218, 219, 241, 262, 280),  # add_key, request_key, keyctl, perf_event_open, fanotify_init, bpf
            *(97, 264, 265, 268, 279, 282),  # unshare, file handles, setns, memfd_create, userfaultfd
        ),
        opening=((56, 2),),
        mmap=222,
        kill=129,
        tgkill=131,
        fcntl=25,
        prctl=167,
        prlimit=261,
    ),
}
# O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, __O_TMPFILE: the same numbers on both.
_WRITING = 0o3 | 0o100 | 0o1000 | 0o20000000
# MAP_SHARED with MAP_ANONYMOUS is memory that RLIMIT_DATA does not count.
_SHARED_MEMORY = 0x21
_SET_OWNER = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: the kernel sends a signal in one's place
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG

Instruction = tuple[int, int, int, int]


def program(own: Architecture, pid: int) -> bytes:
    """Return the filter for a process, an array of struct sock_filter."""
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, own.audit), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    for number in _MISSING:
        steps += _where(number, [_refused(errno.ENOSYS)])
    for number in (*own.denied, *_COMMON):
        steps += _where(number, [_refused()])
    for number, place in own.opening:
        steps += _where(number, _unless_any_bit(place, _WRITING))
    steps += _where(own.mmap, _unless_all_bits(3, _SHARED_MEMORY))
    for number in (own.kill, own.tgkill):
        steps += _where(number, [_argument(0), (_EQUAL, 0, 1, pid), _ALLOWED, _refused()])
    for value in _SET_OWNER:
        steps += _where(own.fcntl, [_argument(1), (_EQUAL, 0, 1, value), _refused(), (_LOAD, 0, 0, _NUMBER)])
    steps += _where(own.prctl, [_argument(0), (_EQUAL, 0, 1, _SET_DEATH_SIGNAL), _refused(), _ALLOWED])
    steps += _where(own.prlimit, _if_null(2))
    steps += [(_AT_LEAST, 0, 1, _UNKNOWN), _refused(errno.ENOSYS), _ALLOWED]
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


_ALLOWED: Final = (_RETURN, 0, 0, _ALLOW)


def _refused(error: int = errno.EPERM) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | error)


def _where(number: int, steps: list[Instruction]) -> list[Instruction]:
    """Steps for one call; the word that is loaded is its number before and, where they go on, after them."""
    return [(_EQUAL, 0, len(steps), number), *steps]


def _argument(place: int, half: int = 0) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * place + 4 * half)


def _unless_any_bit(place: int, bits: int) -> list[Instruction]:
    return [_argument(place), (_ANY_BIT, 0, 1, bits), _refused(), _ALLOWED]


def _unless_all_bits(place: int, bits: int) -> list[Instruction]:
    return [_argument(place), (_AND, 0, 0, bits), (_EQUAL, 0, 1, bits), _refused(), _ALLOWED]


def _if_null(place: int) -> list[Instruction]:
    return [
        _argument(place),
        (_EQUAL, 1, 0, 0),
        _refused(),
        _argument(place, 1),
        (_EQUAL, 1, 0, 0),
        _refused(),
        _ALLOWED,
    ]
