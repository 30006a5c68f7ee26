namespace RaftMq.Server.Configuration;

/// <summary>Which setting was meant by a key that is none.</summary>
internal static class NearestSetting
{
    /// <summary>Of so many letters one may be wrong.</summary>
    private const int LettersPerSlip = 3;

    /// <returns>Null when no key is near.</returns>
    public static string? To(string key)
    {
        string letters = Letters(key);
        string? near = null;
        int least = Math.Max(1, letters.Length / LettersPerSlip) + 1;
        foreach (string known in SettingTable.All.Select(entry => entry.Setting.Key))
        {
            int slips = known.EndsWith("." + key, StringComparison.Ordinal) ? 0 : Slips(letters, Letters(known));
            if (slips < least)
            {
                least = slips;
                near = known;
            }
        }

        return near;
    }

    /// <summary>Without what stands between words, which is mistaken most.</summary>
    private static string Letters(string key) => key.Replace(".", "").Replace("-", "").Replace("_", "").ToLowerInvariant();

    /// <summary>Letters that are missing, too many or other ones.</summary>
    private static int Slips(string typed, string known)
    {
        int[] row = [.. Enumerable.Range(0, known.Length + 1)];
        for (int i = 1; i <= typed.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= known.Length; j++)
            {
                int replaced = diagonal + (typed[i - 1] == known[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[known.Length];
    }
}
