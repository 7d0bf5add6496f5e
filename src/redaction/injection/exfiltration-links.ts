import type { InjectionSignal } from './signal.ts'

/**
 * Images and links of Markdown and HTML with a query. A part that fails is not read again: `[` ends the text
 * of a link.
 */
const markdown = /(!?)\[[^[\]\n]{0,200}\]\(\s?<?(https?:\/\/[^\s)>]{4,1024})/g
const html = /<img\s[^<>]{0,200}?src\s?=\s?["']?(https?:\/\/[^\s"'<>]{4,1024})/gi

/** A place that the model is asked to fill in: `{data}`, `[history]`, `<secret>`, `%s`, `$(…)`. */
const placeholder = /[{}[\]<]|%7[bB]|%5[bB]|\$\(|%s\b|\b[A-Z]{3,}(?:_[A-Z]+)+\b/
/** Names of parameters that carry what was said. */
const carriers =
  'q|d|c|data|payload|content|text|msg|message|prompt|secret|token|leak|exfil|conversation|history|chat|' +
  'info|summary|context|body|password|key|email'
const carrier = new RegExp(`[?&](?:${carriers})=`, 'i')
/** Much in one value, or values that look encoded. */
const encoded = /=[A-Za-z0-9+/_%-]{32,}/

function carriesData(url: string, isImage: boolean): boolean {
  const query = url.slice(url.indexOf('?'))
  if (!url.includes('?') || !query.includes('=')) return isImage && /[{][a-zA-Z_ ]{2,}[}]/.test(url)
  if (placeholder.test(query)) return true
  return isImage ? carrier.test(query) : carrier.test(query) && encoded.test(query)
}

function* links(text: string): Generator<{ url: string; isImage: boolean; start: number; end: number }> {
  for (const { 0: link, 1: mark, 2: url = '', index } of text.matchAll(markdown))
    yield { url, isImage: mark === '!', start: index, end: index + link.length }
  for (const { 0: image, 1: url = '', index } of text.matchAll(html))
    yield { url, isImage: true, start: index, end: index + image.length }
}

export function exfiltrationSignals(text: string, signalsMax: number): InjectionSignal[] {
  if (!text.includes('http')) return []
  const found: InjectionSignal[] = []
  for (const { url, isImage, start, end } of links(text)) {
    if (!carriesData(url, isImage)) continue
    const rule = isImage ? 'image-with-data' : 'link-with-data'
    found.push({ kind: 'exfiltration_link', rule, start, end })
    if (found.length === signalsMax) break
  }
  return found
}
