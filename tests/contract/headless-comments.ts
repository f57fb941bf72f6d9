import ts from 'typescript';

export interface HeadlessComment {
  /** Counted from 1. */
  readonly line: number;
  /** First words of the passage. */
  readonly words: string;
}

interface CommentLine {
  readonly number: number;
  readonly text: string;
}

/** Openings of clauses that stand for a noun ("What X does") or for a condition ("When X, Y does Z"). */
const HEADLESS =
  /^(?:what|where|which|who|when|(?:what|where|which|who|when)ever|whether|(?:for )?so (?:many|much|long|often|far)|how[ -](?:many|long|much|often|far))\b/i;
const TAG = /^@(?:param\s+\S+|returns?|throws)\s+/;

/** Passages of a file's comments that begin with a headless clause. A passage follows a blank line or a tag. */
export function headlessComments(file: string, content: string): readonly HeadlessComment[] {
  const lines = /\.[cm]?[jt]s$/.test(file) ? scriptLines(file, content) : hashLines(content);
  return lines.flatMap(({ number, text }, at) => {
    const before = lines[at - 1];
    const isStart =
      before === undefined || before.text === '' || before.number < number - 1 || TAG.test(text);
    const words = text.replace(TAG, '').slice(0, 60);
    return isStart && HEADLESS.test(words) ? [{ line: number, words }] : [];
  });
}

function scriptLines(file: string, content: string): readonly CommentLine[] {
  const source = ts.createSourceFile(file, content, ts.ScriptTarget.Latest);
  const seen = new Set<number>();
  const lines: CommentLine[] = [];
  const add = ({ pos, end, kind }: ts.CommentRange) => {
    if (seen.has(pos)) return;
    seen.add(pos);
    const { line, character } = source.getLineAndCharacterOfPosition(pos);
    const number = line + 1;
    const texts = content
      .slice(pos, end)
      .replaceAll(/^\/[/*]+|\*\/$/g, '')
      .split('\n')
      .map((text, at) => ({ number: number + at, text: text.replace(/^\s*\*/, '').trim() }));
    const isBlock = kind === ts.SyntaxKind.MultiLineCommentTrivia;
    const followsCode = content.slice(pos - character, pos).trim() !== '';
    // Only consecutive `//` lines make one comment. Blank lines separate all others.
    const blank = { number, text: '' };
    lines.push(...(isBlock || followsCode ? [blank, ...texts, blank] : texts));
  };
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(source);
    for (const child of children) {
      if (!ts.isJSDoc(child)) visit(child);
    }
    if (children.length > 0) return;
    ts.getLeadingCommentRanges(content, node.pos)?.forEach(add);
    ts.getTrailingCommentRanges(content, node.end)?.forEach(add);
  };
  visit(source);
  return lines;
}

/** Comments of YAML, shell and Dockerfiles, and Python's comments and docstrings. */
function hashLines(content: string): readonly CommentLine[] {
  let isDocstring = false;
  return content.split('\n').flatMap((line, at) => {
    const quotes = line.split('"""').length - 1;
    const isComment = isDocstring || /^\s*(?:#|""")/.test(line);
    if (quotes === 1) isDocstring = !isDocstring;
    return isComment ? [{ number: at + 1, text: line.replaceAll(/^\s*#+|"""/g, '').trim() }] : [];
  });
}
