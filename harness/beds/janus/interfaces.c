/* What Janus is to see of the machine: one interface, with the address in JANUS_ADDRESS.
 *
 * Janus leaves loopback out of its candidates, and everything of a bed is on loopback. Preloaded, this answers in the C
 * library's place when Janus asks for the machine's addresses. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>

static struct sockaddr_in address = {.sin_family = AF_INET};
static struct sockaddr_in netmask = {.sin_family = AF_INET};
static struct ifaddrs only = {
    .ifa_name = "bed0",
    .ifa_flags = IFF_UP | IFF_RUNNING,
    .ifa_addr = (struct sockaddr *)&address,
    .ifa_netmask = (struct sockaddr *)&netmask,
};

__attribute__((constructor)) static void read_address(void) {
    const char *text = getenv("JANUS_ADDRESS");
    if (text == NULL || inet_pton(AF_INET, text, &address.sin_addr) != 1) {
        abort();
    }
    inet_pton(AF_INET, "255.255.255.255", &netmask.sin_addr);
}

int getifaddrs(struct ifaddrs **list) {
    *list = &only;
    return 0;
}

void freeifaddrs(struct ifaddrs *list) {
    (void)list; /* nothing was allocated */
}
