import type { Recognizer } from '../../recognizer.ts'
import { isFilled } from './placeholder.ts'
import { base62, closedKey, hex, run, uuid, vendorKey, vendorKeys, web64 } from './prefixed.ts'

/** Payments, banking, shops and shipping. */
export const payments: readonly Recognizer[] = [
  // Publishable keys (`pk_`) are made to be seen. Clerk, WorkOS and Paystack have the same form.
  vendorKeys('stripe-secret-key', [
    {
      prefixes: ['sk_live_', 'sk_test_', 'sk_prod_', 'rk_live_', 'rk_test_', 'rk_prod_'],
      body: [base62(10, 24)],
    },
    { prefixes: ['whsec_'], body: [run('A-Za-z0-9+/', 24, 32)], tail: 'A-Za-z0-9+/=' },
  ]),
  vendorKeys('square-access-token', [
    {
      prefixes: ['sq0atp-', 'sq0csp-', 'sq0idp-', 'sq0cgp-'],
      body: [web64(22, 43)],
      validate: (text, _start, end) => !isFilled(text, end - 22, end),
    },
    { prefixes: ['EAAA'], body: [{ members: 'A-Za-z0-9_\\-', units: 22, unitsMax: 60 }], end: 'closed' },
  ]),
  vendorKey(
    'braintree-access-token',
    ['access_token$production$', 'access_token$sandbox$'],
    run('a-z0-9', 16),
    '$',
    hex(32),
  ),
  vendorKey(
    'plaid-access-token',
    ['access-sandbox-', 'access-development-', 'access-production-', 'public-production-'],
    ...uuid,
  ),
  vendorKey('shippo-api-token', ['shippo_live_', 'shippo_test_'], hex(40)),
  closedKey('easypost-api-key', ['EZAK', 'EZTK'], base62(54)),
  closedKey('lob-api-key', ['live_', 'test_'], hex(35)),
  closedKey('mollie-api-key', ['live_', 'test_'], base62(30)),
  closedKey('lob-publishable-key', ['live_pub_', 'test_pub_'], hex(31)),
  vendorKey('duffel-api-token', ['duffel_test_', 'duffel_live_'], run('A-Za-z0-9_=\\-', 43)),
  // An encryption key has 12 characters; the others have 32, and `-X` at the end.
  vendorKeys('flutterwave-key', [
    {
      prefixes: ['FLWSECK_TEST-', 'FLWPUBK_TEST-', 'FLWSECK-', 'FLWPUBK-', 'FLWSECK_TEST'],
      body: [run('A-Ha-h0-9', 12, 32)],
      tail: 'A-Za-z0-9\\-',
    },
  ]),
  vendorKey('razorpay-key', ['rzp_live_', 'rzp_test_'], base62(14)),
  vendorKey(
    'paddle-api-key',
    ['pdl_live_apikey_', 'pdl_sdbx_apikey_'],
    base62(26),
    '_',
    base62(22),
    '_',
    base62(3),
  ),
  vendorKey('polar-access-token', ['polar_oat_', 'polar_pat_'], web64(32, 43)),
  vendorKey('shopify-token', ['shpat_', 'shpca_', 'shppa_', 'shpss_', 'shptka_'], hex(32)),
  vendorKey('brex-token', ['bxt_'], base62(32)),
  vendorKey(
    'mercury-token',
    ['secret-token:mercury_production_', 'secret-token:mercury_sandbox_'],
    run('A-Za-z0-9_', 32),
  ),
]
