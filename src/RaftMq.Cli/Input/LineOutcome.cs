namespace RaftMq.Cli.Input;

/// <summary>What <see cref="LineReader.NextAsync"/> came upon.</summary>
internal enum LineOutcome
{
    /// <summary>A line.</summary>
    Line,

    /// <summary>The end: there is no further line.</summary>
    End,

    /// <summary>A line beyond the limit; it was not read to its end, and nothing can be read after it.</summary>
    TooLong,
}
