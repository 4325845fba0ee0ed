/* SPDX-License-Identifier: ISC */
/*
 * A boot sector for an emulated PC: loads 384 KB from the disk to 0x10000, goes to 64-bit mode with an identity map of
 * 1 GB, switches on SSE, AVX and AVX-512, and calls what it loaded, on a stack below 8 MB. Source: Intel 64 and IA-32
 * Architectures Software Developer's Manual, volume 3, chapters 9 (mode switching) and 13 (XCR0).
 */
.code16
.globl _start
_start:
 cli
 xorw %ax,%ax
 movw %ax,%ds
 movw %ax,%ss
 movw $0x7c00,%sp
 movb $0x80,%dl
 movw $12,%cx           /* times 32 KB, by the BIOS call for long block addresses */
1: pushw %cx
 movw $dap,%si
 movb $0x42,%ah
 movb $0x80,%dl
 int $0x13
 addw $0x0800,seg       /* 64 sectors = 32 KB = 0x800 paragraphs */
 addl $64,lba
 popw %cx
 loop 1b
 inb $0x92,%al
 orb $2,%al
 outb %al,$0x92
 lgdt gdtr
 movl %cr0,%eax
 orl $1,%eax
 movl %eax,%cr0
 ljmp $8,$pm
.code32
pm:
 movw $16,%ax
 movw %ax,%ds
 movw %ax,%es
 movw %ax,%ss
 /* page tables at 0x100000: identity, 2 MB pages, 1 GB */
 movl $0x100000,%edi
 xorl %eax,%eax
 movl $3072,%ecx
 rep stosl
 movl $0x101003,0x100000
 movl $0x102003,0x101000
 movl $0x102000,%edi
 movl $0x83,%eax
 movl $512,%ecx
2: movl %eax,(%edi)
 addl $0x200000,%eax
 addl $8,%edi
 loop 2b
 movl $0x100000,%eax
 movl %eax,%cr3
 movl %cr4,%eax
 orl $0x40620,%eax   /* PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
 movl %eax,%cr4
 movl $0xc0000080,%ecx
 rdmsr
 orl $0x100,%eax
 wrmsr
 movl %cr0,%eax
 andl $0xfffffff3,%eax
 orl $0x80000003,%eax
 movl %eax,%cr0
 ljmp $24,$lm
.code64
lm:
 movw $16,%ax
 movw %ax,%ds
 movw %ax,%es
 movw %ax,%ss
 xorl %ecx,%ecx
 xorl %edx,%edx
 movl $0xe7,%eax
 xsetbv                 /* XCR0: x87, SSE, AVX, AVX-512 */
 movq $0x800000,%rsp
 movl $0x10000,%eax
 call *%rax
3: hlt
 jmp 3b
.align 8
gdt: .quad 0
 .quad 0x00cf9a000000ffff
 .quad 0x00cf92000000ffff
 .quad 0x00af9a000000ffff
gdtr: .word 31
 .long gdt
dap: .byte 16,0
 .word 64
 .word 0
seg: .word 0x1000
lba: .long 1
 .long 0
.org 446
.fill 64,1,0
.org 510
.word 0xaa55
