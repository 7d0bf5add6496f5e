/** The words of addresses, folded as in letters.ts. */

/** Before the name of a street: `Rue de Lyon`, `Via Roma`, `ul. Polna`. */
export const streetFirst = `
  rua rue avenida avda avd av ave avenue alameda alam travessa largo praca rodovia via viale corso vicolo
  piazza piazzale strada calle c camino carrera carretera paseo plaza pasaje ronda rambla travesia
  urbanizacion ul ulica ulitsa ulice aleja al plac os namesti nabrezi trida trg cesta ulita bulevardul
  strada calea cours quai chemin impasse place boulevard bd blvd route allee allees square sentier passage
  faubourg jalan jl vei cite carrer rua rruga ул улица проспект пр переулок οδος λεωφορος`

/** After the name of a street: `Main Street`, `Villacher Strasse`, `Baross utca`. */
export const streetLast = `
  street st road rd avenue ave av lane ln drive dr boulevard blvd court ct circle cir place pl square sq
  terrace ter parkway pkwy way highway hwy freeway expressway crescent cres close grove gardens gdns mews
  row walk alley loop trail trl path pike turnpike route plaza plz pass crossing xing parade rise vale
  quay wharf esplanade strand wynd brae strasse strase str weg platz allee gasse ring ufer damm steig
  chaussee straat laan plein gracht kade dreef baan steenweg dijk singel gatan vagen gata vag allen vej
  gade alle vei veien vegen gate tie katu kuja polku utca ut utja ter tere u korut sor koz fasor rakpart
  kapu ulice namesti trida ulica cesta trg put sokak sokagi caddesi bulvari mahallesi tn tanav mnt
  puiestee iela gatve prospekt ulitsa str odos улица проспект переулок шоссе`

/** English words that end the name of a street as well as that of much else. */
export const streetMaybe = `
  ridge view hill hills heights manor meadow meadows point run bend branch bridge brook bypass canyon
  causeway cliff cliffs corner corners course cove creek crest dale divide estate estates extension fall
  falls ferry field fields flat flats ford forest forge fork forks fort garden gateway glen green harbor
  haven hollow inlet island islands isle junction key keys knoll knolls lake lakes land landing light
  lights loaf lock locks lodge mall mill mills mission motorway mount mountain mountains neck orchard oval
  overpass park parks parkways passage pine pines plain plains port ports prairie radial ramp ranch rapid
  rapids rest ridges river roads rue shoal shoals shore shores skyway spring springs spur spurs squares
  stravenue stream streets summit throughway trace track trafficway tunnel underpass union unions valley
  valleys via viaduct views village villages ville vista walks wall ways well wells`

/** Endings of one word that is a street: `Hauptstraße`, `Storgatan`, `Mannerheimintie`. */
export const streetEndings = `
  strasse strase gasse straat laan steenweg gracht plein singel dreef gatan vagen katu kuja polku tie vej
  vegen veien gade gata gaten weg utca allee platz damm ufer chaussee veg alle gotu gotuvegur vegur gata
  stigur braut gerdi holt kangas tee puiestee tanav ulica`

/** Part of a building, or a box. */
export const unitWords = `
  apt apartment suite ste unit flat floor fl room rm building bldg box po lot etage appartement app apto
  piso puerta depto departamento int interior scala interno stiege tur hus`

/** Before an address. */
export const addressCues = `
  address addresses adresse direccion indirizzo endereco adres live lives lived living reside resides
  located location moved move ship shipped shipping deliver delivered delivery billing mailing sent send
  office headquarters visit meet`
