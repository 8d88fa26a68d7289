#!/bin/sh
# Builds xdp_redirect_devmap in a folder that its files were copied to.
# Debian: apt install clang libbpf-dev libcli11-dev bpftool g++
set -eu
clang -target bpf -O2 -g -I/usr/include/$(uname -m)-linux-gnu -c xdp_redirect_devmap.bpf.c -o xdp_redirect_devmap.bpf.o
bpftool gen skeleton xdp_redirect_devmap.bpf.o name xdp_redirect_devmap > xdp_redirect_devmap.skel.h
g++ -std=c++23 xdp_redirect_devmap.cpp -o xdp_redirect_devmap -lbpf
