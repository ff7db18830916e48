//! The rules that every document is read by, as data.

crate::rules! {
    /// Every rule that [`Document::parse`](crate::Document::parse) and
    /// [`Document::decode`](crate::Document::decode) hold a text against, by code.
    pub RULES;
    SIZE "NE0001" Error "A document has no more bytes than its reader allows, 1 MiB by default."
        "A text without a limit lets whoever writes it use up the memory of whoever reads it. A \
         document of this size is most often the wrong file.";
    ENCODING "NE0002" Error "A document is UTF-8."
        "Read in another encoding the same bytes are other words, so what was reviewed on one \
         machine is not what is deployed by another.";
    CONTROL "NE0003" Error "A document has no control characters but tabs and line breaks."
        "They are not seen in review, end a text early in programs written in C, and move the \
         cursor of a terminal that shows them.";
    SYNTAX "NE0004" Error "A document is YAML 1.2, or JSON."
        "What cannot be parsed can only be guessed at, and a guess deploys what nobody wrote.";
    DEPTH "NE0005" Error "A document is nested no deeper than its reader allows, 64 by default."
        "Nothing that people write is so deep; a text made to be can exhaust the stack of the \
         program that reads it.";
    NODES "NE0006" Error "A document has no more values than its reader allows, 10 000 by default."
        "A few lines of aliases that refer to aliases can stand for billions of values, and use \
         up all memory. Values are counted after aliases are expanded.";
    ALIAS "NE0007" Error "An alias lies outside its own value, and aliases repeat little text."
        "A value that holds itself has no end, and a long text repeated a thousand times fills \
         the memory.";
    DUPLICATE "NE0008" Error "A key stands once in its mapping."
        "Some readers take the first, some the last. The line that people read in review may be \
         the one without effect.";
    KEY "NE0009" Error "A key is a plain text."
        "Merge keys, anchors and lists as keys mean different things to different readers; a key \
         that begins with a brace is most often a template that nobody filled in.";
    TAG "NE0010" Error "A document has no tags."
        "A tag changes what a value is, or asks the reader to do something. A reader that ignores \
         it sees another document.";
    NUMBER "NE0011" Error "Numbers are decimal, finite, and fit into 64 bits."
        "`010` is ten for one reader and eight for another, and a number that does not fit is \
         rounded in silence.";
    MANY "NE0012" Error "A text holds one document."
        "A reader that takes only the first leaves out the rest without a word.";
    EMPTY "NE0013" Error "A document says something."
        "An empty file is most often a template or a download that failed. With defaults for \
         everything it would deploy something.";
    UNKNOWN_FIELD "NE0020" Error "Every field is one that is known where it stands."
        "A misspelt field has no effect: the limit that somebody believes to have set is not \
         there.";
    MISSING_FIELD "NE0021" Error "Every field that has no default is given."
        "What cannot be assumed has to be said. A guess at it would be in force without ever \
         having been reviewed.";
    WRONG_TYPE "NE0022" Error "A value is of its field's type."
        "A value that is bent into the type that is wanted becomes another: `1.10` the version \
         1.1, `no` the country false.";
    INVALID_VALUE "NE0023" Error "A value is one that its field can take."
        "A bare `5` where a duration belongs is milliseconds to one reader and minutes to \
         another; `5` and `5%` differ by a factor of a hundred. What is out of range would be cut \
         off to something that nobody asked for.";
    UNKNOWN_NAME "NE0024" Error "A name is one of those that can stand there."
        "Taken for a default, a misspelt name would choose another behaviour in silence.";
}
