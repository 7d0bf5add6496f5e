import type { Command } from 'commander'

/** Who asks which gateway: the same for every command that speaks with one. */
export const withConnection = (command: Command): Command =>
  command
    .option('-d, --directory <folder>', 'folder of `sallyport dev`, whose gateway is asked', '.sallyport')
    .option('--profile <file>', 'JSON file with url, ca, cert, key and tokenFile, instead of that folder')
    .option('--url <url>', "address of the operators' listener, such as https://localhost:9443")
    .option('--ca <file>', 'certificates of the authority of its server certificate')
    .option('--cert <file>', 'your client certificate')
    .option('--key <file>', 'its key')
    .option('--token-file <file>', 'your bearer token')

/** Where what is not said comes from. */
export const connectionHelp = `
Which gateway: --url, --ca, --cert, --key and --token-file; what is not named comes from --profile FILE or else, when there
is no --url, from the file in SALLYPORT_OPS_PROFILE or the folder of npm start. SALLYPORT_OPS_TOKEN can hold the token.`
