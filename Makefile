# Thin on purpose: every handle calls tools/. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help up dev test test-fast test-long test-stack chaos bench lint docs pictures pins balena deb edge-offline

help:
	@sh tools/help

up:
	@exec sh tools/run up tools.up

dev:
	@exec sh tools/run up tools.up --reload

test:
	@exec sh tools/run dev tools.test

test-long:
	@exec sh tools/run dev tools.test long

test-fast:
	@exec sh tools/run dev tools.test --fast

test-stack:
	@exec sh tools/run check tools.stack_test

chaos:
	@exec sh tools/run dev tools.chaos

bench:
	@exec sh tools/run dev tools.bench

lint:
	@exec sh tools/run check tools.lint

docs:
	@exec sh tools/run dev tools.docs

pictures:
	@exec sh tools/run dev tools.pictures

balena:
	@exec sh tools/run up tools.balena.layout

deb:
	@exec sh tools/run dev tools.deb

edge-offline:
	@exec sh tools/run dev tools.edge_offline

pins:
	@exec sh tools/run check tools.pins
