/** The certificate maker of `sallyport dev`, which also makes the odd ones that tests need. */
export * from '../../src/commands/dev/authority.ts'
