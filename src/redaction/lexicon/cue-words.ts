/** Words that stand around names and addresses, folded as in letters.ts: lower case, no diacritics. */

/** Stand directly before a name and are no part of it. */
export const titles = `
  mr mrs ms mx miss mister dr prof professor doctor sir madam dame lord lady rev reverend father sister
  brother capt captain col colonel gen general lt lieutenant sgt sergeant maj major president chancellor
  senator sen congressman congresswoman governor gov mayor judge justice minister king queen prince
  princess pope saint coach herr frau hr fr senor senora senorita sr sra srta don dona monsieur madame
  mademoiselle mme mlle signor signora signorina dott dottor dottoressa sig dhr mevrouw mevr pan pani fru
  shri smt kumari sheikh imam rabbi uncle aunt auntie г-н г-жа господин госпожа κ κος κα κυριος κυρια`

/** A word before a name that says so, by itself. */
export const nameCues = `
  dear hi hello hey dearest named surnamed nee alias signed regards sincerely cheers yours bonjour salut
  cher chere hola querido querida estimado estimada hallo lieber liebe geehrter geehrte ciao caro cara
  gentile ola prezado prezada hej kaere kjaere hei beste heisse heise heis appelle llamo chiamo chamo
  nazywam i'm wife husband son daughter mother fiance fiancee girlfriend boyfriend nephew niece cousin
  grandmother grandfather uncle aunt patient patients attn beneficiary starring tenant defendant plaintiff
  witness said says asked replied shouted whispered added explained здравствуйте привет уважаемый
  уважаемая зовут`

/** Two words before a name that say so. */
export const nameCuePairs = [
  'name is|surname is|firstname is|lastname is|this is|it is|here is|i am|nom est|prenom est',
  'nombre es|apellido es|nome e|cognome e|sobrenome e|name ist|nachname ist|vorname ist|speak to',
  'talk to|change to|correct to|it to|updated to|addressed to|belongs to|married to|said to',
  'wrote to|speak with|talk with|spoke with|meet with|met with|meeting with|appointment with',
  'written by|directed by|signed by|sung by|performed by|composed by|painted by|recorded by|song by',
  'version by|founded by|led by|played by|novel by|book by',
].join('|')

/** Labels of a form: the name follows a colon. */
export const nameLabels = `
  name names surname lastname firstname fullname nombre nom nome vorname nachname imie nazwisko patient
  client customer employee contact attn attention from to cc bcc user author signed by cardholder holder
  recipient sender beneficiary manager owner applicant candidate doctor physician member passenger guest
  tenant founders имя фио ονομα`

/** Common words that no list of small words has. */
export const calendarWords = `
  january february march april june july august september october november december monday tuesday
  wednesday thursday friday saturday sunday jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues
  wed thu thur thurs fri sat sun christmas easter`

/** Before a place rather than a person. */
export const placeCues = `
  in at near into across inside outside around throughout new san santa saint st south north east west
  lake fort mount mt port cape los las el la rio villa cite`

/** Never part of a person's name, whatever the lists say. */
export const neverNames = `
  god allah jesus internet english french german spanish danish ok tv usa uk us eu un the and royal inc
  ltd llc llp plc corp corporation company co gmbh ag sa srl bv nv oy ab group holdings partners
  associates bank university college school institute hospital church foundation association society
  museum library department ministry agency committee council commission court party union league club
  team fc band records studios pictures street st road rd avenue ave lane ln drive boulevard blvd highway
  hwy route airport station hotel restaurant river lake mount mt mountain island islands bay parish center
  centre corps county city town village state province republic kingdom north south east west northern
  southern eastern western new old great national international american british european global united
  systems solutions services technologies software labs media press times news post journal magazine act
  agreement section article chapter version lease lien fee suite apt apartment unit floor box pobox cite
  ville python java javascript react node docker linux android chrome borrower lender agent user assistant
  bot system admin`

/** Family names that more often end the name of a place or a thing. */
export const landmarks = `
  park hall field fields hill hills day book wing cave dock gym bridge brook castle church cross farm ford
  forest garden gardens gate green grove harbor heath house lodge mill mills moor pool rock spring springs
  stone tower wall wells wood woods worth law bell bush case land marsh meadow page point pond power price
  way`

/** Endings of family names that no common word has, in languages whose names no list can hold. */
export const familyEndings = `
  ov ova ev eva yev yeva ovich evich ovna evna skiy skaya skyi ska ski sky enko chuk shvili adze dze yan
  ian oglu zade son sson dottir sen sdatter qvist kvist strom gren lund berg stein mann meyer bauer wicz
  icz ic ich cic escu eanu opoulos akis idis iadis elli etti ini ucci acci ez az aldi nen moto mura yama
  kawa ов ова ев ева ин ина ский ская енко ук юк ич вна`
