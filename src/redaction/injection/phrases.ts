/**
 * Known phrasings of injection as sequences of word classes. Written from what public descriptions of these
 * attacks say (OWASP LLM01, garak, CyberSecEval); a list can only know what has been seen.
 */

/** Words by class; lower case, without diacritics below U+0530. One word may be of several classes. */
export const wordClasses = {
  override: `
    ignore ignoring ignores disregard disregards disregarding forget override overrides overriding bypass
    neglect discard circumvent`,
  before: `
    previous previously prior above preceding earlier foregoing your all any initial original existing
    current following system safety`,
  instruction: `
    instruction instructions directive directives prompt prompts rule rules guideline guidelines programming
    constraints restrictions training guardrails`,
  orders: `orders commands message messages context input inputs conversation conversations`,
  above: `above`,
  stop: `and then instead`,
  everything: `everything all anything what whatever`,
  told: `told said learned learnt instructed taught trained programmed`,
  reveal: `
    reveal show print repeat output display tell give disclose leak share translate write summarize expose
    dump return provide recite encode copy type state spell explain describe what start begin put`,
  hidden: `
    system initial hidden original secret initialization starting developer internal previous
    confidential pre first`,
  promptText: `
    prompt prompts instructions instruction message messages configuration initialization directives
    string`,
  your: `your`,
  you: `you`,
  text: `text conversation message words prompt instructions`,
  given: `given received`,
  initially: `initially`,
  mode: `mode`,
  modeStrong: `dan jailbreak jailbroken unrestricted unfiltered uncensored evil opposite sudo chaos`,
  modeWeak: `developer dev override god system`,
  modeOn: `enabled activated engaged output`,
  anything: `anything everything`,
  doing: `do does doing perform`,
  now: `now`,
  persona: `
    act acting pretend roleplay role immerse emulate simulate behave imitate character persona become named
    called chatgpt gpt respond answer`,
  unbound: `
    unfiltered uncensored unrestricted amoral jailbroken unethical immoral lawless unhinged uninhibited
    unlimited`,
  without: `no without free lacks devoid ignores bypasses disregards`,
  restriction: `
    restrictions restriction limitations limits filters filter censorship ethics ethical morals moral
    morality boundaries guidelines rules policies policy confines`,
  never: `never cannot can't cant won't not`,
  refuse: `refuse refuses decline censor censors moralize`,
  confines: `confines constraints shackles`,
  machine: `ai openai chatgpt al anthropic`,
  // Other languages, any order.
  overrideOther: `
    ignora ignorar ignore ignorez ignorieren ignoriere olvida olvidate olvide olvidar omite omita desestima
    esqueca esquece desconsidere oublie oubliez dimentica dimenticate vergiss vergessen missachte missachten
    negeer vergeet игнорируй игнорируйте игнорировать забудь забудьте αγνοηστε αγνοησε ξεχνα ξεχαστε unut
    unutun say sayin gormezden quen bo abaikan lupakan kalimutan balewalain pansinin अनदेखा नज़रअंदाज़
    नजरअंदाज भूल উপেক্ষা ভুলে تجاهل انس انسَ تغاضى تجاهلوا zignoruj 무시하십시오 무시하고 무시해 무시하세요 무시하라 무시해주세요 잊어버려
    잊어라 잊으세요 잊어`,
  beforeOther: `
    anteriores anterior previas previos precedentes precedente precedents anterieures precedenti vorherigen
    vorherige fruheren bisherigen obigen deine ihre vorige eerdere предыдущие прежние предшествующие
    προηγουμενες onceki truoc sebelumnya nakaraang naunang nakaraan पिछले पिछली अपने পূর্ববর্তী আগের পূর্বের
    السابقة السابقه السابق 이전 이전의 위의 tus suas tes vos tue poprzednie`,
  instructionOther: `
    instrucciones indicaciones ordenes directivas reglas instrucoes diretrizes ordens regras instructions
    consignes directives istruzioni direttive regole anweisungen anweisung instruktionen befehle regeln
    instructies инструкции указания директивы οδηγιες talimatlari talimatlarini talimatlar dan huong
    instruksi perintah petunjuk tagubilin instruksyon panuto निर्देशों निर्देश निर्देशो নির্দেশাবলী নির্দেশ
    নির্দেশনা নির্দেশগুলি التعليمات تعليمات الأوامر 지시사항을 지시를 명령을 지침을 지시사항 지시 instrukcje`,
  aboveOther: `
    anterior precede precedenti acima arriba sopra obige obigen oben выше sebelumnya 위의 위 위의것을 onceki`,
  everythingOther: `tout tudo todo todas tutto alles все всё tat hamma`,
  toldOther: `dit disse dicho dijeron dicen detto gesagt говорили сказали сказано hepsini`,
} as const

export type WordClass = keyof typeof wordClasses

/** A class, and how many words may stand between it and the one before. */
type Step = readonly [wordClass: WordClass, gap: number]

export interface PhraseRule {
  readonly id: string
  readonly steps: readonly Step[]
  /** In any order, all within `window` words. */
  readonly window?: number
}

export const phraseRules: readonly PhraseRule[] = [
  {
    id: 'override',
    steps: [
      ['override', 0],
      ['before', 3],
      ['instruction', 3],
    ],
  },
  {
    id: 'override',
    steps: [
      ['override', 0],
      ['above', 2],
      ['stop', 3],
    ],
  },
  {
    id: 'override',
    steps: [
      ['override', 0],
      ['before', 2],
      ['orders', 2],
    ],
  },
  {
    id: 'override',
    steps: [
      ['override', 0],
      ['everything', 2],
      ['told', 4],
    ],
  },
  {
    id: 'override',
    steps: [
      ['override', 0],
      ['everything', 1],
      ['above', 4],
    ],
  },
  {
    id: 'override-ethics',
    steps: [
      ['override', 0],
      ['restriction', 4],
      ['restriction', 4],
    ],
  },
  {
    id: 'system-prompt',
    steps: [
      ['your', 0],
      ['hidden', 1],
      ['promptText', 1],
    ],
  },
  {
    id: 'system-prompt',
    steps: [
      ['reveal', 0],
      ['hidden', 5],
      ['promptText', 0],
    ],
  },
  {
    id: 'system-prompt',
    steps: [
      ['reveal', 0],
      ['your', 3],
      ['promptText', 2],
    ],
  },
  {
    id: 'system-prompt',
    steps: [
      ['reveal', 0],
      ['above', 3],
      ['text', 1],
    ],
  },
  {
    id: 'system-prompt',
    steps: [
      ['reveal', 0],
      ['text', 3],
      ['above', 1],
    ],
  },
  {
    id: 'system-prompt',
    steps: [
      ['you', 0],
      ['given', 2],
      ['initially', 2],
    ],
  },
  {
    id: 'mode',
    steps: [
      ['modeStrong', 0],
      ['mode', 0],
    ],
  },
  {
    id: 'mode',
    steps: [
      ['modeWeak', 0],
      ['mode', 0],
      ['modeOn', 1],
    ],
  },
  {
    id: 'do-anything-now',
    steps: [
      ['doing', 0],
      ['anything', 0],
      ['now', 0],
    ],
  },
  {
    id: 'persona',
    steps: [
      ['persona', 0],
      ['unbound', 40],
    ],
  },
  {
    id: 'persona',
    steps: [
      ['persona', 0],
      ['without', 30],
      ['restriction', 3],
    ],
  },
  {
    id: 'persona',
    steps: [
      ['confines', 0],
      ['machine', 2],
    ],
  },
  {
    id: 'no-refusal',
    steps: [
      ['never', 0],
      ['refuse', 3],
    ],
  },
  {
    id: 'override',
    steps: [
      ['overrideOther', 0],
      ['beforeOther', 0],
      ['instructionOther', 0],
    ],
    window: 7,
  },
  {
    id: 'override',
    steps: [
      ['overrideOther', 0],
      ['aboveOther', 2],
    ],
    window: 3,
  },
  {
    id: 'override',
    steps: [
      ['overrideOther', 0],
      ['everythingOther', 2],
      ['toldOther', 6],
    ],
  },
]

/** In scripts without spaces, where words cannot be told apart: verbs and objects near each other. */
const unspaced = [
  '(?:忽略|无视|無視|忘记|忘記|不要理会)[^。！？\\n]{0,12}(?:指示|指令|说明|說明|命令|规则|提示)',
  '(?:忽略|无视|無視)(?:以上|上述|之前|上面)',
  '(?:指示|命令|指令|上記|以前)[^。！？\\n]{0,12}(?:無視し|忘れて)',
  '(?:เพิกเฉย|ละเว้น|ลืม)[^\\n]{0,24}(?:คำสั่ง|คําสั่ง|คำแนะนำ|คําแนะนํา)',
]
export const unspacedPhrases = new RegExp(unspaced.join('|'), 'g')
