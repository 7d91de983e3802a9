#include "textflag.h"

// wake is the pipe.
GLOBL wake<>(SB), NOPTR, $8

// caught writes the signal's number to the pipe.
TEXT caught<>(SB), NOSPLIT|NOFRAME, $0
	SUB	$16, RSP
	MOVB	R0, 0(RSP)
	MOVD	wake<>(SB), R0
	MOVD	RSP, R1
	MOVD	$1, R2
	MOVD	$64, R8 // write
	SVC
	ADD	$16, RSP
	RET // to the kernel's own way back

// func handler(pipe int) (caught, restore uintptr)
TEXT ·handler(SB), NOSPLIT, $0-24
	MOVD	pipe+0(FP), R0
	MOVD	R0, wake<>(SB)
	MOVD	$caught<>(SB), R0
	MOVD	R0, caught+8(FP)
	MOVD	ZR, restore+16(FP)
	RET
