/* Runs a fuzz target once over every file of the directories named on the command line: the corpus
 * as a regression test, with any compiler. Flags of libFuzzer (-runs=0) are accepted and ignored.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MAX (4u << 20)

static int run_file(const char *dir, const char *name)
{
    char path[4096];
    uint8_t *data;
    size_t size;
    FILE *file;

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        return 1;
    file = fopen(path, "rb");
    data = malloc(FILE_MAX);
    if (!file || !data) {
        fprintf(stderr, "can't read %s\n", path);
        free(data);
        if (file)
            fclose(file);
        return 1;
    }
    size = fread(data, 1, FILE_MAX, file);
    fclose(file);
    /* An exact copy, so that the sanitizer sees a read past the end. */
    uint8_t *exact = malloc(size ? size : 1);
    if (exact) {
        for (size_t i = 0; i < size; i++)
            exact[i] = data[i];
        (void)LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0, count = 0;

    for (int i = 1; i < argc; i++) {
        struct dirent *entry;
        DIR *dir;

        if (argv[i][0] == '-')
            continue;
        dir = opendir(argv[i]);
        if (!dir) {
            fprintf(stderr, "no corpus directory %s\n", argv[i]);
            return 1;
        }
        while ((entry = readdir(dir)))
            if (entry->d_name[0] != '.') {
                failed |= run_file(argv[i], entry->d_name);
                count++;
            }
        closedir(dir);
    }
    printf("%d inputs\n", count);
    return failed || count == 0;
}
