#include "textflag.h"

// wake is the pipe.
GLOBL wake<>(SB), NOPTR, $8

// caught writes the signal's number to the pipe.
TEXT caught<>(SB), NOSPLIT|NOFRAME, $0
	SUBQ	$24, SP
	MOVB	DI, 0(SP)
	MOVQ	wake<>(SB), DI
	MOVQ	SP, SI
	MOVQ	$1, DX
	MOVQ	$1, AX // write
	SYSCALL
	ADDQ	$24, SP
	RET

TEXT restore<>(SB), NOSPLIT|NOFRAME, $0
	MOVQ	$15, AX // rt_sigreturn
	SYSCALL
	INT	$3

// func handler(pipe int) (caught, restore uintptr)
TEXT ·handler(SB), NOSPLIT, $0-24
	MOVQ	pipe+0(FP), AX
	MOVQ	AX, wake<>(SB)
	LEAQ	caught<>(SB), AX
	MOVQ	AX, caught+8(FP)
	LEAQ	restore<>(SB), AX
	MOVQ	AX, restore+16(FP)
	RET
