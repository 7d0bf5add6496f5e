/** What the throw-away issuer of `sallyport dev` calls itself. */
export const devIssuer = 'https://issuer.sallyport.test'
export const devAudience = 'sallyport'
export const devKeyId = 'dev-1'

/** Files in the folder of `sallyport dev`. */
export const signingKeyFile = 'issuer.key'
export const tokenFile = 'token'
export const opsTokenFile = 'ops.token'
/** How an operator's command line reaches the gateway. */
export const opsProfileFile = 'ops.json'
/** In the folder of the configuration. */
export const pseudonymKeyFile = 'pseudonym.key'
export const configFolder = 'config'
export const auditFolder = 'audit'
export const quotaFolder = 'quota'
