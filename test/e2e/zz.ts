import { Scene } from '../support/scene.ts'
const s = await Scene.open()
const ev = `data: ${JSON.stringify({id:'a',object:'chat.completion.chunk',created:1,model:'demo',choices:[{index:0,delta:{content:'hi'},finish_reason:'stop'}]})}\n\n`
s.script = { contentType: 'text/event-stream', body: [ev, 'data: [DONE]\n\n', { waitMs: 5 }] }
for (let i=0;i<5;i++) { const r = await s.stream(); await r.text() }
console.log(s.stack.model.stats)
s.script = { contentType: 'text/event-stream', body: [ev, 'data: [DONE]\n\n'] }
for (let i=0;i<5;i++) { const r = await s.stream(); await r.text() }
console.log(s.stack.model.stats.connections)
s.script = undefined
for (let i=0;i<20;i++) { const r = await s.stream(); await r.text() }
console.log(s.stack.model.stats.connections)
await s.stack.stop()
