/* The first access points of a network by NetworkManager's library: nma CODE. See tests/bench/lookup. */
#include <nma-mobile-providers.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    GError *error = NULL;
    NMAMobileProvidersDatabase *database = nma_mobile_providers_database_new_sync(NULL, NULL, NULL, &error);
    if (argc < 2 || !database) {
        fprintf(stderr, "%s\n", error ? error->message : "nma CODE");
        return 1;
    }
    NMAMobileProvider *provider = nma_mobile_providers_database_lookup_3gpp_mcc_mnc(database, argv[1]);
    if (!provider)
        return 1;
    puts(nma_mobile_provider_get_name(provider));
    for (GSList *method = nma_mobile_provider_get_methods(provider); method; method = method->next) {
        const char *apn = nma_mobile_access_method_get_3gpp_apn(method->data);
        if (apn)
            printf("  %s\n", apn);
    }
    return 0;
}
