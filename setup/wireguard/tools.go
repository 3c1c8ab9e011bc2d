//go:build tools

// Package wireguard pins the userspace WireGuard that set-up builds: go.sum is its checksum lock.
package wireguard

import _ "golang.zx2c4.com/wireguard"
