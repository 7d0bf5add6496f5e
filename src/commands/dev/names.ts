/** What the throw-away issuer of `sallyport dev` calls itself. */
export const devIssuer = 'https://issuer.sallyport.test'
export const devAudience = 'sallyport'
export const devKeyId = 'dev-1'

/** Files in the folder of `sallyport dev`. */
export const signingKeyFile = 'issuer.key'
export const tokenFile = 'token'
/** In the folder of the configuration. */
export const pseudonymKeyFile = 'pseudonym.key'
export const configFolder = 'config'
export const auditFolder = 'audit'
