#!/usr/bin/env node
// newman, all of it in one file, with the code that V8 has made of it: to read and compile its
// parts takes longer than most collections. Without that code it runs the same, and keeps it.
'use strict';
const fs = require('fs');
const Module = require('module');
const v8 = require('v8');
const vm = require('vm');

const WHOLE = '/usr/lib/newman/whole.js';
const CODE = '/usr/lib/newman/code';
const LONG = 100_000; // characters: what every script of a collection begins with, and no script

const kept = fs.existsSync(CODE) ? v8.deserialize(fs.readFileSync(CODE)) : new Map();
const made = new Map();

function compiled(name, source) {
    const script = new vm.Script(source, {filename: name, cachedData: kept.get(name)});
    made.set(name, script);
    return script;
}

const runInContext = vm.runInContext;
vm.runInContext = (source, context, options) => source.length < LONG
    ? runInContext(source, context, options)
    : compiled('boot', source).runInContext(context, options);

if (kept.size === 0) {
    process.on('exit', () => {
        const codes = [...made].map(([name, script]) => [name, script.createCachedData()]);
        fs.writeFileSync(CODE, v8.serialize(new Map(codes)));
    });
}

const whole = new Module(WHOLE);
whole.filename = WHOLE;
compiled(WHOLE, Module.wrap(fs.readFileSync(WHOLE, 'utf8').replace(/^#!.*/, '')))
    .runInThisContext()
    .call(whole.exports, whole.exports, require, whole, WHOLE, '/usr/lib/newman');
