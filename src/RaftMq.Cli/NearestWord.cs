namespace RaftMq.Cli;

/// <summary>What somebody meant who mistyped a word.</summary>
internal static class NearestWord
{
    /// <summary>Of so many letters one may be wrong.</summary>
    private const int LettersPerFault = 3;

    /// <summary>The one of the words that begins with what was typed, or has the fewest letters wrong; null where none is near.</summary>
    public static string? Of(string typed, IEnumerable<string> words)
    {
        int faultsMax = Math.Max(1, typed.Length / LettersPerFault);
        return words
            .Select(word => (Word: word, Faults: word.StartsWith(typed, StringComparison.Ordinal) ? 0 : Faults(typed, word)))
            .Where(pair => pair.Faults <= faultsMax)
            .OrderBy(pair => pair.Faults)
            .Select(pair => pair.Word)
            .FirstOrDefault();
    }

    /// <summary>Letters put in, left out, replaced, or two neighbours exchanged (the optimal string alignment distance).</summary>
    internal static int Faults(string one, string other)
    {
        int[,] faults = new int[one.Length + 1, other.Length + 1];
        for (int i = 0; i <= one.Length; i++)
        {
            for (int j = 0; j <= other.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    faults[i, j] = i + j;
                    continue;
                }

                bool same = char.ToLowerInvariant(one[i - 1]) == char.ToLowerInvariant(other[j - 1]);
                faults[i, j] = Math.Min(Math.Min(faults[i - 1, j], faults[i, j - 1]) + 1, faults[i - 1, j - 1] + (same ? 0 : 1));
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                {
                    faults[i, j] = Math.Min(faults[i, j], faults[i - 2, j - 2] + 1);
                }
            }
        }

        return faults[one.Length, other.Length];
    }
}
