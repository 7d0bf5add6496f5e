/** Envoy as an ingress that knows its callers: mutual TLS, the JWT of a header, a bucket that is never empty. */
import type { World } from './row.ts'

const types = 'type.googleapis.com/envoy.extensions'
const BUCKET = 1_000_000
const hundredPercent = (runtimeKey: string) => ({
  runtime_key: runtimeKey,
  default_value: { numerator: 100, denominator: 'HUNDRED' },
})

/** The bootstrap configuration, to be written as JSON. */
export function envoyConfig(world: World, port: number): object {
  return {
    static_resources: {
      listeners: [
        {
          name: 'callers',
          address: addressOf(port),
          filter_chains: [{ transport_socket: tlsOf(world), filters: [connectionManager(world)] }],
        },
      ],
      clusters: [
        {
          name: 'model',
          type: 'STATIC',
          connect_timeout: '5s',
          load_assignment: {
            cluster_name: 'model',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: addressOf(world.modelPort) } }] }],
          },
        },
      ],
    },
  }
}

const addressOf = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } })

const tlsOf = ({ tls }: World): object => ({
  name: 'envoy.transport_sockets.tls',
  typed_config: {
    '@type': `${types}.transport_sockets.tls.v3.DownstreamTlsContext`,
    require_client_certificate: true,
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
      tls_certificates: [{ certificate_chain: { filename: tls.cert }, private_key: { filename: tls.key } }],
      validation_context: { trusted_ca: { filename: tls.clientCa } },
      alpn_protocols: ['http/1.1'],
    },
  },
})

const connectionManager = (world: World): object => ({
  name: 'envoy.filters.network.http_connection_manager',
  typed_config: {
    '@type': `${types}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'callers',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'model', timeout: '0s' } }],
        },
      ],
    },
    http_filters: [
      { name: 'envoy.filters.http.jwt_authn', typed_config: jwtOf(world) },
      { name: 'envoy.filters.http.local_ratelimit', typed_config: rateLimit },
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': `${types}.filters.http.router.v3.Router` },
      },
    ],
  },
})

const jwtOf = ({ issuer }: World): object => ({
  '@type': `${types}.filters.http.jwt_authn.v3.JwtAuthentication`,
  providers: {
    dev: {
      issuer: issuer.name,
      audiences: [issuer.audience],
      local_jwks: { inline_string: issuer.jwks },
    },
  },
  rules: [{ match: { prefix: '/' }, requires: { provider_name: 'dev' } }],
})

const rateLimit: object = {
  '@type': `${types}.filters.http.local_ratelimit.v3.LocalRateLimit`,
  stat_prefix: 'callers',
  token_bucket: { max_tokens: BUCKET, tokens_per_fill: BUCKET, fill_interval: '1s' },
  filter_enabled: hundredPercent('rate_limit_enabled'),
  filter_enforced: hundredPercent('rate_limit_enforced'),
}
