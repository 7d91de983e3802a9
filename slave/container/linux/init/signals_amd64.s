#include "textflag.h"

// caught writes the signal's number to the pipe.
TEXT caught<>(SB), NOSPLIT|NOFRAME, $0
	SUBQ	$24, SP
	MOVB	DI, 0(SP)
	MOVQ	·wake(SB), DI
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

// func handler() (caught, restore uintptr)
TEXT ·handler(SB), NOSPLIT, $0-16
	LEAQ	caught<>(SB), AX
	MOVQ	AX, caught+0(FP)
	LEAQ	restore<>(SB), AX
	MOVQ	AX, restore+8(FP)
	RET
