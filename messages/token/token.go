// Package token makes and reads the tokens by which executors prove who they
// are over HTTP: JSON Web Tokens (RFC 7519), signed with HMAC and SHA-256 and
// with no other algorithm. Anybody may import it.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Why a token is not taken.
var (
	ErrParts     = errors.New("a token has three parts, with dots between")
	ErrSignature = errors.New("the signature does not match")
	ErrAlgorithm = errors.New("alg: is not HS256")
	ErrCritical  = errors.New("crit: is not supported")
	ErrExpired   = errors.New("exp: is over")
	ErrEarly     = errors.New("nbf: is still to come")
)

// encoding is that of the parts: strict, so that no two texts are one token.
var encoding = base64.RawURLEncoding.Strict()

// header is of every token that Sign makes.
var header = encoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))

// Sign makes a token of claims. Equal claims make equal tokens.
func Sign(key []byte, claims map[string]string) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic("token: texts can be encoded: " + err.Error())
	}
	signed := header + "." + encoding.EncodeToString(payload)
	return signed + "." + encoding.EncodeToString(sum(key, signed))
}

func sum(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text)) // never fails
	return h.Sum(nil)
}

// Verify gives the claims of a token that was signed with key and is valid at
// now; claims that are no texts are given as their JSON. Nothing of a token is
// looked into before its signature is found right.
func Verify(key []byte, now time.Time, token string) (map[string]string, error) {
	last := strings.LastIndexByte(token, '.')
	if last < 0 || strings.Count(token, ".") != 2 {
		return nil, ErrParts
	}
	signed := token[:last]
	signature, err := encoding.DecodeString(token[last+1:])
	if err != nil || !hmac.Equal(signature, sum(key, signed)) {
		return nil, ErrSignature
	}
	head, payload, _ := strings.Cut(signed, ".")
	if err := checkHeader(head); err != nil {
		return nil, err
	}
	members, err := object(payload)
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	if err := checkTimes(members, now); err != nil {
		return nil, err
	}
	return claimsOf(members), nil
}

func checkHeader(part string) error {
	members, err := object(part)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if string(members["alg"]) != `"HS256"` {
		return ErrAlgorithm
	}
	if _, there := members["crit"]; there {
		return ErrCritical
	}
	return nil
}

// checkTimes checks the claims that bound when a token is valid, in seconds
// since 1970. One that is absent bounds nothing.
func checkTimes(members map[string]json.RawMessage, now time.Time) error {
	at := float64(now.Unix())
	for name, late := range map[string]func(float64) error{
		"exp": func(t float64) error {
			if t < at {
				return ErrExpired
			}
			return nil
		},
		"nbf": func(t float64) error {
			if t > at {
				return ErrEarly
			}
			return nil
		},
	} {
		given, there := members[name]
		if !there {
			continue
		}
		var t *float64
		if err := json.Unmarshal(given, &t); err != nil || t == nil {
			return fmt.Errorf("%s: is no number", name)
		}
		if err := late(*t); err != nil {
			return err
		}
	}
	return nil
}

// object reads a part as a JSON object.
func object(part string) (map[string]json.RawMessage, error) {
	text, err := encoding.DecodeString(part)
	if err != nil {
		return nil, errors.New("is no base64url")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, errors.New("is no JSON object")
	}
	return members, nil
}

func claimsOf(members map[string]json.RawMessage) map[string]string {
	claims := make(map[string]string, len(members))
	for name, value := range members {
		text := string(value)
		if value[0] == '"' {
			if err := json.Unmarshal(value, &text); err != nil {
				continue // it was read before as a part of the whole
			}
		}
		claims[name] = text
	}
	return claims
}
