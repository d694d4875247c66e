#!/bin/sh
# Runs a small collection once, so that newman.js keeps the code that most collections need.
set -eu
node -e "require('http').createServer((_, answer) => {
    answer.setHeader('Content-Type', 'application/json');
    answer.end('{\"some\": [1]}');
}).listen(8000, '127.0.0.1')" &
server=$!
cat > /tmp/warm-up.json <<'COLLECTION'
{
  "info": {"name": "Warm-up", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
  "item": [
    {
      "name": "Once",
      "event": [
        {"listen": "prerequest", "script": {"exec": ["pm.collectionVariables.set('id', pm.variables.replaceIn('{{$guid}}'));"]}},
        {
          "listen": "test",
          "script": {
            "exec": [
              "pm.test('all', () => {",
              "    pm.response.to.have.status(200);",
              "    pm.response.to.have.header('Content-Type', 'application/json');",
              "    pm.response.to.have.jsonSchema({type: 'object', required: ['some']});",
              "    pm.expect(pm.response.json()).to.eql({some: [1]}).and.to.have.property('some');",
              "});",
              "pm.test('none', () => pm.expect(1).to.be.above(2));",
              "pm.sendRequest('http://127.0.0.1:8000/more', () => {});"
            ]
          }
        }
      ],
      "request": {
        "method": "POST",
        "header": [{"key": "Content-Type", "value": "application/json"}],
        "body": {"mode": "raw", "raw": "{\"id\": \"{{id}}\"}"},
        "url": "http://127.0.0.1:8000/{{id}}"
      }
    }
  ]
}
COLLECTION
newman run /tmp/warm-up.json --reporters json --reporter-json-export /tmp/report.json || true
kill "$server"
grep -q '"failed": *1' /tmp/report.json # the one assertion that is meant to fail
test -s /usr/lib/newman/code
